"""What is printed of readings: one as a table of diagnoses, many as a line each."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.cli.terminal import results
from core.data.photo_list import SHOWN_LINES
from core.diagnoses import DIAGNOSES, NAMES
from core.wording import percent


def _ranked(probabilities: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(probabilities.items(), key=lambda item: -item[1])


def show_one(record: dict, written: str) -> None:
    """Prints a reading: gate, probabilities, what else is known of the answer, notes."""
    console = results()
    _show_gate(console, record["gate"] or {"verdict": "ok", "reasons": []})
    if "probabilities" in record:
        _show_probabilities(console, record)
    if decision := record.get("decision"):
        _show_decision(console, decision)
    _show_doubt(console, record)
    if seen := record["seen_before"]:
        _show_seen(console, seen)
    for note in (*record["notes"], *record["trust_notes"]):
        console.print(note, markup=False, style="yellow", soft_wrap=True)
    console.print(
        f"Written to {written}. For research and teaching; not a medical device.", markup=False, soft_wrap=True
    )


def _show_gate(console: Console, gate: dict) -> None:
    if gate["verdict"] != "ok":
        word = {"refuse": "Refused", "unusable": "No answer"}.get(gate["verdict"], "Take care")
        console.print(f"{word}: {' '.join(gate['reasons'])}", markup=False, style="yellow", soft_wrap=True)


def _show_probabilities(console: Console, record: dict) -> None:
    groups = {d.code: (d.name, "malignant" if d.malignant else "benign") for d in DIAGNOSES}
    table = Table("diagnosis", "group", title=record["model"])
    table.add_column("probability", justify="right")
    for code, probability in _ranked(record["probabilities"]):
        table.add_row(*groups[code], percent(probability), style="bold" if code == record["top"] else "")
    console.print(table)
    console.print(f"Probability that it is malignant: {percent(record['malignancy'])}")
    if there := record["prevalence"]:
        named = ", ".join(f"{groups[code][0].lower()} {percent(p)}" for code, p in _ranked(there["probabilities"])[:3])
        shares = ", ".join(f"{code} {percent(share)}" for code, share in there["shares"].items())
        console.print(
            f"{there['title']} ({shares}): {named}; malignant {percent(there['malignancy'])}. The set, the jury and the measured "
            "thresholds rest on the probabilities as calibrated.",
            soft_wrap=True,
            markup=False,
        )


def _show_decision(console: Console, decision: dict) -> None:
    stands = "at or above" if decision["above"] else "below"
    console.print(
        f"Melanoma, with {percent(decision['melanoma'])}, is {stands} your threshold of {percent(decision['threshold'])}: "
        f"{NAMES[decision['diagnosis']].lower()} by the rule costs.",
        soft_wrap=True,
    )


def _show_doubt(console: Console, record: dict) -> None:
    """The set, the look-alikes' vote, the jury; of each what is there."""
    from core.trust.signals.lookalikes import LookalikeVote

    if record["set"]:
        console.print(f"90 % set: {', '.join(NAMES[code] for code in record['set'])}", soft_wrap=True)
    if record["lookalike_vote"] and "probabilities" in record:
        vote = record["lookalike_vote"]
        console.print(f"Look-alikes: {LookalikeVote(*(vote[key] for key in ('dx', 'count', 'of', 'others'))).words}")
    if jury := record["jury"]:
        console.print(
            f"Jury: {round(jury['agreement'] * jury['networks'])} of {jury['networks']} networks say {NAMES[jury['verdict']]}."
        )


def _show_seen(console: Console, seen: dict) -> None:
    console.print(f"Seen before: training {seen['kind']} {seen['image_id']}.", markup=False, style="yellow")
    if seen.get("answer"):
        top = max(seen["answer"], key=seen["answer"].__getitem__)
        console.print(
            f"{seen['network']}, the network that never saw its lesion, says {NAMES[top]} {percent(seen['answer'][top])}, melanoma "
            f"{percent(seen['answer']['mel'])}.",
            markup=False,
            style="yellow",
        )


def _said_of(name: str, record: dict) -> list[str]:
    """What is to be said of one photo among many: why the gate did not simply let it through, and what of it could not be followed."""
    from core.data.framing.framed import FRAMED

    gate = record.get("gate") or {"verdict": "ok", "reasons": []}
    # A damaged gate is said once, at the end.
    reasons = gate["reasons"] if gate["verdict"] in ("warn", "refuse") else ()
    own = [note.removeprefix(f"{name}: ") for note in record.get("notes", ()) if note.startswith((f"{name}: ", FRAMED))]
    return [f"{name}: {' '.join((*reasons, *own))}"] if reasons or own else []


def show_many(records: list[dict], written: str) -> None:
    table = Table("photo", "most probable")
    table.add_column("probability", justify="right")
    table.add_column("malignant", justify="right")
    for column in ("90 % set", "photo gate"):
        table.add_column(column)
    notes: dict[str, None] = {}
    of_photos: list[str] = []
    for record in records:
        name = Path(record["photo"]).name.encode("utf-8", "replace").decode()
        of_photos += _said_of(name, record)
        if "error" in record:
            table.add_row(name, "not read", "-", "-", "-", "-", style="red")
            continue
        notes |= dict.fromkeys(record["trust_notes"])
        gate = record["gate"]["verdict"] if record["gate"] else "-"
        if "top" not in record:
            table.add_row(name, "refused", "-", "-", "-", gate, style="yellow")
            continue
        top, within = record["top"], ", ".join(record["set"] or ["-"])
        table.add_row(name, top, percent(record["probabilities"][top]), percent(record["malignancy"]), within, gate)
    console = results()
    console.print(table, markup=False)
    for line in of_photos[:SHOWN_LINES]:
        console.print(line, markup=False, style="yellow", soft_wrap=True)
    if len(of_photos) > SHOWN_LINES:
        console.print(
            f"{len(of_photos) - SHOWN_LINES:,} more remarks on single photos; what was written holds them.",
            style="yellow",
        )
    for note in notes:
        console.print(note, markup=False, style="yellow", soft_wrap=True)
    console.print(
        f"Written to {written}. For research and teaching; not a medical device.", markup=False, soft_wrap=True
    )
