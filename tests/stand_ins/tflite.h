// SPDX-FileCopyrightText: 2026 The labelcam authors
// SPDX-License-Identifier: Apache-2.0
//
// The few structs that a TFLite delegate must share with the interpreter, in our own words. Their layout is that of
// TensorFlow's tensorflow/lite/core/c/common.h from 2.16 on, which LiteRT's tflite/core/c/common.h (v1.4 to v2.3) has
// kept; what a delegate does not touch is named `unused`.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OK = 0, ERROR = 1, DELEGATE_ERROR = 2 };  // TfLiteStatus
enum { FLOAT32 = 1, UINT8 = 3, INT8 = 9 };       // TfLiteType

typedef struct {  // TfLiteIntArray
    int size;
    int data[];
} Indices;

typedef struct {  // TfLiteTensor
    int type;
    void *data;
    Indices *dims;
    struct {
        float scale;
        int32_t zero_point;
    } params;
    int allocation_type;
    size_t bytes;
    const void *allocation;
    const char *name;
    void *delegate;
    int buffer_handle;
    bool data_is_stale, is_variable;
    struct {
        int type;
        void *params;
    } quantization;
    void *sparsity;
    const Indices *dims_signature;
} Tensor;

typedef struct {  // TfLiteNode
    Indices *inputs, *outputs, *intermediates, *temporaries;
    void *user_data, *builtin_data;
    const void *custom_initial_data;
    int custom_initial_data_size;
    void *delegate;
    bool might_have_side_effect;
} Node;

typedef struct Context Context;

typedef struct {  // TfLiteRegistration; the last three came after TensorFlow 2.5, which libedgetpu 16.0 was built with
    void *(*init)(Context *, const char *buffer, size_t length);
    void (*free)(Context *, void *);
    int (*prepare)(Context *, Node *);
    int (*invoke)(Context *, Node *);
    const char *(*profiling_string)(const Context *, const Node *);
    int32_t builtin_code;
    const char *custom_name;
    int version;
    void *registration_external;
    void *(*async_kernel)(Context *, Node *);
    uint64_t inplace_operator;
} Registration;

typedef struct Delegate {  // TfLiteDelegate
    void *data;
    int (*Prepare)(Context *, struct Delegate *);
    void *unused_copy_from, *unused_copy_to, *unused_free;
    int64_t flags;
    void *opaque_delegate_builder;
} Delegate;

struct Context {  // the beginning of TfLiteContext
    size_t tensors_size;
    int (*GetExecutionPlan)(Context *, Indices **);
    Tensor *tensors;
    void *impl;
    void *unused_resize, *unused_report, *unused_add;
    int (*GetNodeAndRegistration)(Context *, int, Node **, Registration **);
    int (*ReplaceNodeSubsetsWithDelegateKernels)(Context *, Registration, const Indices *, Delegate *);
};
