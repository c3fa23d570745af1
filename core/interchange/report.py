"""A reading as a DICOM Comprehensive SR: a Measurement Report (TID 1500) with the probabilities as measurements.

The diagnoses are coded in a scheme of our own: HAM10000's groups, such as "vascular lesion", are no concepts of SNOMED CT.

Reference: DICOM PS3.16 TID 1500, 1501, 300, 4019; PS3.3 A.35.3 (Comprehensive SR IOD).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import __version__
from core.diagnoses import NAMES
from core.interchange.body_sites import SITE_CODES
from core.interchange.evidence import MAKER, OBSERVER_UID, new_uid
from core.interchange.read import DicomSource, describe_facts
from core.reading import READING_NOTICE, LesionReading

if TYPE_CHECKING:
    from pydicom import Dataset

SCHEME = "99MELASCOPE"
P_MALIGNANT = ("P-MALIGNANT", "Probability of a malignant diagnosis")
# What the measurement groups are called.
LESION_AS_CALIBRATED = "Lesion, probabilities as calibrated"
REWEIGHTED = "Lesion, probabilities re-weighted by Bayes' rule for: "
TOP = ("TOP", "Likeliest of the seven diagnoses")


def probability_code(diagnosis: str) -> tuple[str, str]:
    """Code and meaning of the measurement that holds a diagnosis' probability."""
    return f"P-{diagnosis.upper()}", f"Probability of {NAMES[diagnosis]}"[:64]


def make_report(
    reading: LesionReading, evidence: Dataset, source: DicomSource, remarks: tuple[str, ...] = ()
) -> Dataset:
    """A report of one reading.

    Args:
        evidence: from `make_evidence`.
        remarks: sentences beside the reading's own notes, such as the photo gate's.
    """
    import highdicom as hd
    from pydicom.sr.coding import Code

    ours = lambda value, meaning: Code(value, SCHEME, meaning)  # noqa: E731
    sr, facts, weights = hd.sr, reading.facts, reading.card["sha256"]
    algorithm = sr.AlgorithmIdentification(
        name=reading.model,
        version=__version__,
        parameters=[f"Weights SHA-256: {weights}"],
        manufacturer=MAKER,
    )
    site = SITE_CODES.get(facts.site)
    image = sr.SourceImageForMeasurementGroup(
        source.class_uid, source.instance_uid, [source.referenced_frame] if source.referenced_frame else None
    )

    def group(identifier: str, probabilities: dict[str, float], malignancy: float, top: str):
        """Eight numbers and the likeliest diagnosis."""
        values = {ours(*probability_code(code)): value for code, value in probabilities.items()}
        values[ours(*P_MALIGNANT)] = malignancy
        return sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=sr.TrackingIdentifier(uid=new_uid(), identifier=identifier),
            finding_type=Code("95324001", "SCT", "Skin lesion"),
            algorithm_id=algorithm,
            finding_sites=[sr.FindingSite(Code(site[0], "SCT", site[1]))] if site else None,
            measurements=[
                sr.Measurement(name=name, value=float(value), unit=Code("1", "UCUM", "no units"))
                for name, value in values.items()
            ],
            qualitative_evaluations=[sr.QualitativeEvaluation(ours(*TOP), ours(top.upper(), NAMES[top]))],
            source_images=[image],
        )

    groups = [group(LESION_AS_CALIBRATED, reading.probabilities, reading.malignancy, reading.top)]
    there = reading.elsewhere
    if there:
        groups.append(group(f"{REWEIGHTED}{there.mixture.title}", there.probabilities, there.malignancy, there.top))
    observer = sr.ObserverContext(
        observer_type=Code("121007", "DCM", "Device"),
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=OBSERVER_UID, name=MAKER, manufacturer_name=MAKER, model_name=reading.model[:64]
        ),
    )
    report = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=Code("446078004", "SCT", "Dermoscopic photography"),
        imaging_measurements=groups,
    )
    known = describe_facts(facts)
    given = f"Facts given to the network: {known}." if known else "No facts were given to the network."
    which = (f"Frame {source.frame} of {source.frames}.",) if source.frames > 1 else ()
    source_of_shares = (f"{there.mixture.title}: {there.mixture.source}",) if there else ()
    for sentence in (READING_NOTICE, given, *which, *source_of_shares, *reading.notes, *remarks):
        comment = sr.TextContentItem(
            name=Code("121106", "DCM", "Comment"), value=sentence, relationship_type=sr.RelationshipTypeValues.CONTAINS
        )
        report[0].ContentSequence.append(comment)
    ds = sr.ComprehensiveSR(
        evidence=[evidence],
        content=report,
        series_instance_uid=new_uid(),
        series_number=9003,
        sop_instance_uid=new_uid(),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=reading.model[:64],
        software_versions=__version__,
        device_serial_number=weights,
        series_description=f"{MAKER}: a reading. Not a diagnosis.",
        is_complete=True,
        is_final=False,
        is_verified=False,
    )
    scheme = type(evidence)()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeName = SCHEME, "Melascope's diagnoses and probabilities"
    scheme.CodingSchemeResponsibleOrganization = MAKER
    ds.CodingSchemeIdentificationSequence = [scheme]
    return ds
