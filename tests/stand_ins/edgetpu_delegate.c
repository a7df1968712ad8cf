// SPDX-FileCopyrightText: 2026 The labelcam authors
// SPDX-License-Identifier: Apache-2.0
//
// Stands in for libedgetpu.so.1 and the stick behind it. It goes about the graph as libedgetpu's
// edgetpu_delegate_for_custom_op.cc does: each edgetpu-custom-op becomes a delegate kernel of its own. What the kernel
// computes is simple: of n outputs, the i-th is the mean of the input bytes i, i + n, i + 2n...: for a picture of three
// channels and three labels, how red, green and blue it is.
//
// The file that the environment variable STAND_IN_DELEGATE names says how it behaves: "works", "none", "says WORDS",
// "segfault", "hang", "give up", "old" (a registration of TensorFlow 2.5, which later interpreters do not understand), "wrong", or
// "abort N", "stall N", "refuse N", which is what becomes of the N-th invoke, the first being the warm-up. A file of the
// same name with ".openings" behind it grows by a byte whenever somebody opens the stick, which one process at a time can.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "tflite.h"

static char mode[200];
static int nth, invokes;

static void hang(void) {
    for (;;) pause();
}

static void give_up(void) {  // in libedgetpu's words
    fprintf(stderr, "F driver/usb/usb_driver.cc:834] transfer on tag 2 failed. Abort. USB transfer error 2\n");
    abort();
}

static int value(const Tensor *tensor, size_t index) {
    return tensor->type == INT8 ? ((int8_t *)tensor->data)[index] + 128 : ((uint8_t *)tensor->data)[index];
}

static void answer(const Tensor *in, const Tensor *out) {
    for (size_t i = 0; i < out->bytes; i++) {
        long sum = 0, count = 0;
        for (size_t j = i; j < in->bytes; j += out->bytes, count++) sum += value(in, j);
        int mean = (int)((sum + count / 2) / (count ? count : 1));
        if (!strcmp(mode, "wrong")) mean = 255 - mean;
        ((uint8_t *)out->data)[i] = (uint8_t)(out->type == INT8 ? mean - 128 : mean);
    }
}

static int invoke(Context *context, Node *node) {
    if (++invokes == nth) {
        if (!strcmp(mode, "abort")) give_up();
        if (!strcmp(mode, "stall")) hang();
        if (!strcmp(mode, "refuse")) return ERROR;
    }
    answer(&context->tensors[node->inputs->data[0]], &context->tensors[node->outputs->data[0]]);
    return OK;
}

static void *init(Context *context, const char *buffer, size_t length) { return calloc(1, 1); }
static void release(Context *context, void *kernel) { free(kernel); }
static int prepare(Context *context, Node *node) { return OK; }

static int take_nodes(Context *context, Delegate *delegate) {
    Registration kernel = {init, release, prepare, invoke, NULL, 0, "EdgeTpuDelegateForCustomOp", 1, NULL, NULL, 0};
    if (!strcmp(mode, "old")) memset(&kernel.registration_external, 0x55, 3 * sizeof(void *));
    Indices *plan;
    if (context->GetExecutionPlan(context, &plan) != OK) return ERROR;
    int count = plan->size, *steps = malloc(count * sizeof(int));
    memcpy(steps, plan->data, count * sizeof(int));  // the plan changes while nodes are replaced
    Indices *one = malloc(sizeof(Indices) + sizeof(int));
    one->size = 1;
    for (int i = 0; i < count; i++) {
        Node *node;
        Registration *found;
        if (context->GetNodeAndRegistration(context, steps[i], &node, &found) != OK) return ERROR;
        if (!found->custom_name || strcmp(found->custom_name, "edgetpu-custom-op")) continue;
        one->data[0] = steps[i];
        if (context->ReplaceNodeSubsetsWithDelegateKernels(context, kernel, one, delegate) != OK) return ERROR;
    }
    free(one);
    free(steps);
    return OK;
}

static bool read_mode(void) {
    const char *path = getenv("STAND_IN_DELEGATE");
    strcpy(mode, "works");
    if (!path) return true;
    char count[1000];
    snprintf(count, sizeof count, "%s.openings", path);
    FILE *openings = fopen(count, "a"), *file = fopen(path, "r");
    fputc('.', openings);
    fflush(openings);  // and stays open: the lock is this process's until it ends
    if (flock(fileno(openings), LOCK_EX | LOCK_NB)) return false;
    if (!file) return true;
    if (fgets(mode, sizeof mode, file)) mode[strcspn(mode, "\n")] = 0;
    fclose(file);
    char *number = strchr(mode, ' ');
    if (number && atoi(number + 1)) {
        nth = atoi(number + 1);
        *number = 0;
    }
    return true;
}

Delegate *tflite_plugin_create_delegate(char **keys, char **values, size_t count, void (*report)(const char *)) {
    if (!read_mode() || !strcmp(mode, "none")) return NULL;
    if (!strncmp(mode, "says ", 5)) {
        report(mode + 5);
        return NULL;
    }
    if (!strcmp(mode, "segfault")) *(volatile int *)NULL = 1;
    if (!strcmp(mode, "hang")) hang();
    if (!strcmp(mode, "give up")) give_up();
    Delegate *delegate = calloc(1, sizeof *delegate);
    delegate->Prepare = take_nodes;
    delegate->flags = 1;  // kTfLiteDelegateFlagsAllowDynamicTensors, as libedgetpu has it
    return delegate;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) { free(delegate); }
