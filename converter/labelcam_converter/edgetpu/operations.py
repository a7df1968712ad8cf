# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The operations that compiler 16 knows, and the newest version of each that it can read.

Which kinds it maps: Coral's table of supported operations (coral.ai/docs/edgetpu/models-intro), all of its runtime
versions taken together, because the compiler targets the newest unless told otherwise. Versions: the compiler is of
July 2021 and reads a file by the TensorFlow Lite of its day, so the newest is the last that TensorFlow's own record
(tensorflow/lite/tools/versioning/runtime_version.cc) dates to 2.5 or before. What users report of compiler 16 fits: it
refused QUANTIZE 3, TRANSPOSE_CONV 4 and EXP 2 (google-coral/edgetpu 879 and 845, google-coral/libedgetpu 71).
"""

MAPPED = {
    "ADD": 3,
    "AVERAGE_POOL_2D": 3,
    "CONCATENATION": 3,
    "CONV_2D": 5,
    "DEPTHWISE_CONV_2D": 6,
    "EXPAND_DIMS": 1,
    "FULLY_CONNECTED": 9,
    "L2_NORMALIZATION": 2,
    "LOGISTIC": 3,
    "LSTM": 4,
    "MAXIMUM": 4,
    "MAX_POOL_2D": 3,
    "MEAN": 3,
    "MINIMUM": 4,
    "MUL": 4,
    "PACK": 3,
    "PAD": 3,
    "PRELU": 1,
    "QUANTIZE": 2,
    "REDUCE_MAX": 3,
    "REDUCE_MIN": 3,
    "RELU": 3,
    "RELU6": 3,
    "RELU_N1_TO_1": 1,
    "RESHAPE": 1,
    "RESIZE_BILINEAR": 4,
    "RESIZE_NEAREST_NEIGHBOR": 4,
    "RSQRT": 2,
    "SLICE": 5,
    "SOFTMAX": 3,
    "SPACE_TO_DEPTH": 2,
    "SPLIT": 4,
    "SQUARED_DIFFERENCE": 2,
    "SQUEEZE": 2,
    "STRIDED_SLICE": 5,
    "SUB": 5,
    "SUM": 2,
    "TANH": 3,
    "TRANSPOSE": 5,
    "TRANSPOSE_CONV": 3,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 3,
}
"""Newest version by kind of operation that the Edge TPU computes."""

READ = {
    "ABS": 3,
    "ARG_MAX": 2,
    "ARG_MIN": 2,
    "BATCH_MATMUL": 4,
    "BATCH_TO_SPACE_ND": 3,
    "BROADCAST_TO": 3,
    "CAST": 1,
    "CUMSUM": 1,
    "DEPTH_TO_SPACE": 2,
    "DEQUANTIZE": 4,
    "DIV": 2,
    "ELU": 1,
    "EXP": 1,
    "FILL": 3,
    "GATHER": 5,
    "GATHER_ND": 3,
    "HARD_SWISH": 1,
    "LEAKY_RELU": 2,
    "LOG": 1,
    "LOG_SOFTMAX": 2,
    "MIRROR_PAD": 2,
    "NEG": 1,
    "PADV2": 3,
    "POW": 1,
    "REVERSE_V2": 3,
    "SELECT_V2": 1,
    "SHAPE": 1,
    "SPACE_TO_BATCH_ND": 3,
    "SPLIT_V": 2,
    "SQRT": 1,
    "SQUARE": 1,
    "TILE": 2,
    "TOPK_V2": 2,
    "UNPACK": 4,
}
"""Newest version by kind that the compiler can read but leaves to the CPU: those that image networks have."""

FIRST_INT8 = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4}
"""The version with which int8 came in; a lower one on int8 tensors was stamped by a tool that counts no versions."""

REMEDIES = {
    "HARD_SWISH": "build the minimalistic variant of MobileNetV3, which has none, or mobilenet_v2",
    "LEAKY_RELU": "replace LeakyReLU by ReLU6 and train again",
    "ELU": "replace it by ReLU6 and train again",
    "GELU": "replace it by ReLU6 and train again",
    "DEQUANTIZE": "quantise the whole network to int8",
    "PADV2": "pad with zeros, as ZeroPadding2D does",
    "MIRROR_PAD": "pad with zeros, as ZeroPadding2D does",
    "SHAPE": "export the network with a fixed batch of 1",
    "SPLIT_V": "split into equal parts",
}
"""What to do about a kind that the Edge TPU does not compute, where there is better advice than to do without."""
