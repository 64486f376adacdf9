"""Writes Tests/VGGTrainingTests/Goldens/report.json: scikit-learn's figures of made-up answers. Of the classes one
occurs neither among the examples nor the answers, one only among the examples, and one only among the answers.
"""

import json
import pathlib
import warnings

import numpy as np
from sklearn.metrics import classification_report, confusion_matrix, top_k_accuracy_score

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/VGGTrainingTests/Goldens/report.json"
CLASSES, COUNT = 8, 200

random = np.random.default_rng(0)
labels = random.choice([0, 1, 2, 3, 4, 5], COUNT, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
logits = random.normal(0, 1, (COUNT, CLASSES)).round(3)
logits[np.arange(COUNT), labels] += 1.5
# Class 5 is never answered, class 6 sometimes, class 7 never.
logits[:, 5] -= 9
logits[:, 7] -= 9
guesses = logits.argmax(1)
probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    report = classification_report(labels, guesses, output_dict=True)
    every = range(CLASSES)
    scores = classification_report(labels, guesses, labels=every, output_dict=True)
own = probabilities[np.arange(COUNT), labels]
wrong = [int(example) for example in np.argsort(own, kind="stable") if guesses[example] != labels[example]]
OUTPUT.write_text(json.dumps({
    "labels": labels.tolist(), "logits": logits.round(3).tolist(),
    "confusion": confusion_matrix(labels, guesses, labels=every).tolist(),
    "accuracy": report["accuracy"], "top_five": top_k_accuracy_score(labels, logits, k=5, labels=every),
    "scores": [list(scores[str(label)].values()) for label in every],
    "macro": list(report["macro avg"].values()), "weighted": list(report["weighted avg"].values()),
    "worst": wrong[:12], "worst_probabilities": [float(own[example]) for example in wrong[:12]],
}) + "\n")
