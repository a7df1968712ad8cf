# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's ImageClassifier on frames from a file: prints the frames per second it reaches. Runs in its own venv."""

import sys
import time

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from mediapipe.tasks.python.components.containers.rect import RectF

WARM_UP = 10
TOP = 3  # as many labels as `labelcam run` reports


def main(model: str, frames_file: str, seconds: float) -> None:
    """Classify the frames in turn for so many seconds, one call a frame, as its own examples do."""
    frames = np.load(frames_file)
    options = vision.ImageClassifierOptions(
        base_options=BaseOptions(model_asset_path=model), running_mode=vision.RunningMode.IMAGE, max_results=TOP
    )
    how = vision.ImageProcessingOptions(region_of_interest=centred_square(*frames.shape[1:3]))
    with vision.ImageClassifier.create_from_options(options) as classifier:

        def classify(number: int) -> None:
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=frames[number % len(frames)])
            classifier.classify(image, how)

        for number in range(WARM_UP):
            classify(number)
        count, begun = 0, time.perf_counter()
        end = begun + seconds
        while (now := time.perf_counter()) < end:
            classify(count)
            count += 1
    print(count / (now - begun))


def centred_square(height: int, width: int) -> RectF:
    """Return labelcam's default crop in MediaPipe's terms: shares of the picture."""
    side = min(height, width)
    left, top = (width - side) / 2 / width, (height - side) / 2 / height
    return RectF(left=left, top=top, right=1 - left, bottom=1 - top)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
