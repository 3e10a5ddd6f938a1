# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
import math

import numpy as np

from emotion_perception.reporting.json_text import json_text


def test_numbers_that_json_does_not_have_are_null():
    content = {"mean": math.nan, "rows": [{"max": math.inf}, (1, -math.inf, np.float64("nan"))], "name": "nan", "n": 0}
    assert json.loads(json_text(content), parse_constant=repr) == {
        "mean": None,
        "rows": [{"max": None}, [1, None, None]],
        "name": "nan",
        "n": 0,
    }


def test_a_report_of_finite_numbers_is_written_as_json_writes_it():
    content = {"a": [1.5, 2], "b": {"c": None, "d": True, "e": "é"}}
    assert json_text(content) == json.dumps(content, indent=2) + "\n"
