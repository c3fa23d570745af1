"""What the app's and the documents' terms mean, in one place: help icons quote `short`, the glossary page adds `more`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A term that a reader may not know.

    Args:
        title: as it is printed.
        short: one or two sentences, which stand alone.
        more: what the glossary page adds; Markdown.
    """

    title: str
    short: str
    more: str = ""


GLOSSARY: dict[str, Term] = {
    "accuracy": Term(
        "Accuracy",
        "Share of photos whose diagnosis is right. Two thirds of HAM10000 are nevi, so always answering nevus gets 0.67.",
    ),
    "attention": Term(
        "Soft attention",
        "A map that the network itself computes on its way to the answer: where it weighs the photo more. One map for all diagnoses.",
    ),
    "auc": Term(
        "AUC",
        "The chance that a photo with the diagnosis gets a higher score than one without it: 0.5 is a coin, 1 is perfect order.",
        "Area under the ROC curve. It says nothing of any one threshold.",
    ),
    "balanced_accuracy": Term(
        "Balanced accuracy",
        "Mean of the seven diagnoses' sensitivities: each counts alike, however rare. Always answering one diagnosis gets 0.143.",
    ),
    "bootstrap": Term(
        "95 % interval",
        "Where a score lies when the held-out lesions are drawn again with replacement. It does not cover the chance in training.",
        "Lesions are drawn, not photos, since photos of one lesion are alike. A proportion that never changes has Wilson's interval.",
    ),
    "calibrated": Term(
        "Calibrated probability",
        "Of the photos said to be melanoma with 0.3, about three in ten are, where diagnoses are as common as in HAM10000.",
        "The network's logits are divided by a temperature and get a bias for each diagnosis, both fitted on validation photos.",
    ),
    "calibration_error": Term(
        "Calibration error",
        "How far probabilities and observed shares lie apart, on average over bins of photos; 0 is best.",
    ),
    "conformal_set": Term(
        "90 % set",
        "The diagnoses that the photo's probabilities cannot rule out. For each diagnosis, nine in ten lesions that have it have it in "
        "their set, as far as new lesions resemble those of validation.",
        "Class-conditional split conformal prediction, counted by lesion. A large set says that the network does not know.",
    ),
    "contrast": Term(
        "Contrast",
        "Mean lightness L* of the skin around a lesion minus the lesion's own.",
    ),
    "decision_curve": Term(
        "Decision curve",
        "Net benefit of excising by the network at each threshold, beside excising all and excising nothing. Where it is not above "
        "these two, the network helps nobody.",
    ),
    "decision_rule": Term(
        "Decision rule",
        "What makes one diagnosis of seven probabilities. Likeliest takes the largest; balanced lets each diagnosis count alike; costs "
        "says melanoma from the reader's threshold on.",
    ),
    "dermoscopy": Term(
        "Dermoscopy",
        "Looking at skin through a magnifier with its own light, held on the skin or polarised, so that structures below the surface show.",
    ),
    "differential": Term("Differential", "The diagnoses that come into question, likeliest first."),
    "encoder": Term(
        "Encoder and head",
        "The encoder is the heavy part of a network: photo to feature map. The head is the small rest: feature map and patient facts to "
        "logits and attention.",
    ),
    "ensemble": Term(
        "Ensemble", "Several networks as one: the mean of their calibrated probabilities, calibrated again."
    ),
    "expected_share": Term(
        "Prevalence",
        "How common a diagnosis is where the photo comes from. Probabilities hold for HAM10000's mixture; Bayes' rule moves them.",
    ),
    "gate": Term(
        "Photo gate",
        "Asks before any diagnosis whether this is a dermoscopic photo, and good enough to be read; a network answers any picture.",
    ),
    "grad_cam": Term(
        "Grad-CAM",
        "A heat map for one diagnosis: places whose features raise its score, each feature weighted by its mean effect.",
    ),
    "held_out": Term(
        "Held-out photos",
        "Photos that scores are of: a network's test part, or of a model of several folds all photos, each out of fold.",
    ),
    "jury": Term(
        "Jury",
        "Every network's vote on the photo. They learnt from the same photos and share mistakes, so the agreement is worth what it was "
        "worth on the held-out photos.",
    ),
    "lab": Term(
        "L*, a*, b*",
        "Colour as people see it (CIELAB): L* is lightness from 0, black, to 100, white; a* is green to red, b* blue to yellow.",
    ),
    "leak": Term(
        "Leak",
        "Something of the held-out photos was known in training, such as another photo of the same lesion. Scores are then too good.",
    ),
    "lesion_split": Term(
        "Split by lesion",
        "All photos of a lesion, and near-duplicates of other lesions, lie in one part: training, validation or test.",
    ),
    "likeness": Term(
        "Likeness",
        "How alike the network sees two photos: the cosine of their feature vectors; 1 is the same.",
    ),
    "logits": Term("Logits", "The seven numbers that a network ends with, before they are made into probabilities."),
    "lookalikes": Term(
        "Look-alikes",
        "The training lesions that the network sees as nearest to the photo, with their diagnoses: a second opinion from known cases.",
    ),
    "out_of_fold": Term(
        "Out of fold",
        "Of several networks, each trained without another part of the collection: a photo's answer by the one that never saw its lesion.",
    ),
    "malignancy": Term(
        "Malignancy",
        "The sum of the probabilities of the malignant diagnoses: actinic keratosis and Bowen's disease, basal cell carcinoma, melanoma.",
    ),
    "operating_point": Term(
        "Operating point",
        "The threshold on the probability of melanoma that finds at least nine in ten melanomas of photos that the network did "
        "not learn from: its validation part, or, of a set of folds, its out-of-fold answers. Its sensitivity and specificity are measured "
        "on photos that did not choose it.",
    ),
    "predictive_value": Term(
        "Positive predictive value",
        "Of the photos called melanoma, the share that are. It falls where melanoma is rarer, with the same network.",
    ),
    "seen_before": Term(
        "Seen before",
        "Whether the model was trained on this photo or another one of its lesion: then its answer is a memory, and scores do not hold.",
    ),
    "sensitivity": Term(
        "Sensitivity", "Of the lesions that have a diagnosis, the share that the network finds. Also called recall."
    ),
    "specificity": Term(
        "Specificity", "Of the lesions that do not have a diagnosis, the share that the network does not call so."
    ),
}


def explain_term(key: str) -> str:
    """The short meaning of a term, for a help icon.

    Raises:
        KeyError: no such term.
    """
    return GLOSSARY[key].short
