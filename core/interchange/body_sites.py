"""Where on the body a DICOM file says that a lesion lies, in the words of the patient facts.

The codes are those of the Dermatology Anatomic Site list (DICOM PS3.16 CID 4029) and the common ones beside it. What has no single
counterpart, such as the axilla, the groin or "head", stays unknown: a person chooses.
"""

from core.data.tables.vocabulary import read_site

# Names of SNOMED CT in use; "SRT", "SNM3" and "99SDM" stand for its older codes.
_SNOMED, _OLD_SNOMED = ("SCT", "SNOMED_DCM"), ("SRT", "SNM3", "99SDM")
# Codes by coding scheme: SNOMED CT, DICOM's own, the Foundational Model of Anatomy.
REGIONS: dict[str, dict[str, str]] = {
    "SCT": {
        "818981001": "abdomen",  # Abdomen
        "113345001": "abdomen",  # Abdomen, as the standard coded it before 2021
        "75093004": "abdomen",  # Skin of abdomen
        "30598005": "abdomen",  # Skin of epigastric area
        "367578008": "abdomen",  # Skin of hypogastric region
        "699914002": "abdomen",  # Skin of lower abdomen
        "315003": "abdomen",  # Skin of umbilicus
        "699935000": "abdomen",  # Skin of upper abdomen
        "770820003": "acral",  # Nail unit of fifth toe
        "770809003": "acral",  # Nail unit of finger
        "770821004": "acral",  # Nail unit of fourth toe
        "770822006": "acral",  # Nail unit of great toe
        "770815003": "acral",  # Nail unit of index finger
        "770818001": "acral",  # Nail unit of little finger
        "770816002": "acral",  # Nail unit of middle finger
        "770817006": "acral",  # Nail unit of ring finger
        "770823001": "acral",  # Nail unit of second toe
        "770825008": "acral",  # Nail unit of third toe
        "770810008": "acral",  # Nail unit of thumb
        "770805009": "acral",  # Nail unit of toe
        "89784008": "acral",  # Skin of hypothenar region of palm
        "35739000": "acral",  # Skin of lateral border of sole of foot
        "52953006": "acral",  # Skin of medial border of sole of foot
        "70887009": "acral",  # Skin of palm of hand
        "26795005": "acral",  # Skin of thenar region of palm
        "77568009": "back",  # Back
        "66643007": "back",  # Skin of back
        "699893008": "back",  # Skin of back of upper thoracic region
        "113182001": "back",  # Skin of lower back
        "244111001": "back",  # Skin of posterior surface of thorax
        "76752008": "chest",  # Breast
        "51185008": "chest",  # Chest, as the standard coded it before 2021
        "816094009": "chest",  # Chest
        "244106003": "chest",  # Skin of anterior surface of thorax
        "72005009": "chest",  # Skin of areola
        "66288003": "chest",  # Skin of infraclavicular region
        "699915001": "chest",  # Skin of lower chest wall
        "54468004": "chest",  # Skin of nipple
        "244107007": "chest",  # Sternal skin
        "117590005": "ear",  # Ear
        "28347008": "ear",  # External ear
        "38407007": "ear",  # Skin of antitragus
        "51098001": "ear",  # Skin of cavity of concha
        "57726007": "ear",  # Skin of crus of helix
        "1902009": "ear",  # Skin of ear
        "2059009": "ear",  # Skin of ear lobule
        "86409001": "ear",  # Skin of external auditory canal
        "79313003": "ear",  # Skin of helix of ear
        "45591000": "ear",  # Skin of intertragal incisure
        "24483006": "ear",  # Skin of postauricular region
        "79502000": "ear",  # Skin of tragus
        "60819002": "face",  # Cheek
        "371398005": "face",  # Eye region
        "85803001": "face",  # Eyelash
        "80243003": "face",  # Eyelid
        "89545001": "face",  # Face
        "661005": "face",  # Jaw region
        "48477009": "face",  # Lip
        "45206002": "face",  # Nose
        "68598004": "face",  # Skin of ala nasi
        "37108007": "face",  # Skin of nasolabial fold
        "36141000": "face",  # Skin of cheek
        "23747009": "face",  # Skin of chin
        "362916000": "face",  # Skin of eye region
        "367577003": "face",  # Skin of eyebrow
        "73897004": "face",  # Skin of face
        "68698007": "face",  # Skin of forehead
        "244097004": "face",  # Skin of jawline
        "37671003": "face",  # Skin of lateral canthus
        "88089004": "face",  # Skin of lip
        "40069000": "face",  # Skin of lower eyelid
        "66934001": "face",  # Skin of lower lip
        "27887005": "face",  # Skin of medial canthus
        "113179006": "face",  # Skin of nose
        "110488009": "face",  # Skin of perioral region of face
        "84365009": "face",  # Skin of philtrum
        "86719006": "face",  # Skin of preauricular region
        "314395006": "face",  # Skin of side of nose
        "16621002": "face",  # Skin of temporal region
        "79283007": "face",  # Skin of tip of nose
        "41310005": "face",  # Skin of upper eyelid
        "16251004": "face",  # Skin of upper lip
        "56459004": "foot",  # Foot
        "60496002": "foot",  # Skin of foot
        "84607009": "foot",  # Skin of heel
        "699909001": "foot",  # Skin of lateral part of heel
        "699919007": "foot",  # Skin of medial part of heel
        "52034004": "foot",  # Skin of toe
        "29707007": "foot",  # Toe
        "279479008": "genital",  # Female external urethral orifice
        "279867004": "genital",  # Frenulum of labia minora
        "279478000": "genital",  # Male external urethral orifice
        "18911002": "genital",  # Penis
        "4019005": "genital",  # Posterior commissure of labium majorum
        "20233005": "genital",  # Scrotum
        "29353003": "genital",  # Skin of clitoris
        "60944009": "genital",  # Skin of external genitalia
        "7991003": "genital",  # Skin of glans penis
        "73058008": "genital",  # Skin of labium
        "128252004": "genital",  # Skin of labium majus
        "128253009": "genital",  # Skin of labium minus
        "35900000": "genital",  # Skin of penis
        "76723005": "genital",  # Skin of prepuce of clitoris
        "244117002": "genital",  # Skin of root of penis
        "81992007": "genital",  # Skin of scrotum
        "244118007": "genital",  # Skin of shaft of penis
        "18857001": "genital",  # Vaginal introitus
        "45292006": "genital",  # Vulva
        "23213005": "genital",  # Vulval vestibule
        "7569003": "hand",  # Finger
        "85562004": "hand",  # Hand
        "244169007": "hand",  # Skin of digit of hand
        "33712006": "hand",  # Skin of hand
        "281642007": "hand",  # Skin of part of dorsal surface of hand
        "76505004": "hand",  # Thumb
        "72696002": "lower extremity",  # Knee
        "30021000": "lower extremity",  # Lower leg
        "61685007": "lower extremity",  # Lower limb
        "181553006": "lower extremity",  # Skin of anterior surface of knee
        "25763004": "lower extremity",  # Skin of anterior surface of lower leg
        "61248009": "lower extremity",  # Skin of anterior surface of thigh
        "181564009": "lower extremity",  # Skin of lateral aspect of ankle
        "371304004": "lower extremity",  # Skin of lower extremity
        "181563003": "lower extremity",  # Skin of medial aspect of ankle
        "73958006": "lower extremity",  # Skin of medial surface of thigh
        "84507004": "lower extremity",  # Skin of popliteal fossa
        "47224004": "lower extremity",  # Skin of posterior surface of lower leg
        "4578000": "lower extremity",  # Skin of posterior surface of thigh
        "68367000": "lower extremity",  # Thigh
        "182329002": "neck",  # Anterior triangle of neck
        "45048000": "neck",  # Neck
        "11584001": "neck",  # Skin of anterior portion of neck
        "5272005": "neck",  # Skin of lateral portion of neck
        "43081002": "neck",  # Skin of neck
        "4658004": "neck",  # Skin of nuchal region
        "34926004": "neck",  # Skin of submental area
        "76072005": "neck",  # Skin of supraclavicular region of neck
        "5713008": "neck",  # Submandibular triangle
        "41695006": "scalp",  # Scalp
        "79951008": "scalp",  # Skin of occipital region
        "21672008": "scalp",  # Skin of parietal region
        "43067004": "scalp",  # Skin of scalp
        "61719002": "scalp",  # Skin of vertex of scalp
        "46862004": "trunk",  # Buttock
        "181491009": "trunk",  # Skin of anterior trunk
        "22180002": "trunk",  # Skin of buttock
        "63029009": "trunk",  # Skin of gluteal fold
        "54440003": "trunk",  # Skin of upper trunk
        "22943007": "trunk",  # Trunk
        "14975008": "upper extremity",  # Forearm
        "16982005": "upper extremity",  # Shoulder
        "17957002": "upper extremity",  # Skin of antecubital fossa
        "70559009": "upper extremity",  # Skin of anterior surface of forearm
        "45981001": "upper extremity",  # Skin of anterior surface of upper arm
        "52876008": "upper extremity",  # Skin of dorsal area of wrist
        "181536004": "upper extremity",  # Skin of posterior surface of elbow
        "41550009": "upper extremity",  # Skin of posterior surface of forearm
        "72939005": "upper extremity",  # Skin of posterior surface of upper arm
        "371311000": "upper extremity",  # Skin of upper extremity
        "24527008": "upper extremity",  # Skin of palmar area of wrist
        "40983000": "upper extremity",  # Upper arm
        "53120007": "upper extremity",  # Upper limb
    },
    "DCM": {
        "130317": "acral",  # Skin of sole of forefoot
        "130304": "back",  # Skin of lower paraspinal region
        "130323": "back",  # Skin of mid back
        "130303": "back",  # Skin of mid paraspinal region
        "130301": "back",  # Skin of paraspinal area of the superior back
        "130302": "back",  # Skin of upper paraspinal region
        "130305": "ear",  # Skin of anterior helix of ear
        "130307": "ear",  # Skin of inferior helix of ear
        "130308": "ear",  # Skin of inferior posterior surface of the pinna
        "130310": "ear",  # Skin of lower antihelix of ear
        "130315": "ear",  # Skin of posterior helix of ear
        "130316": "ear",  # Skin of posterior lobule of the ear
        "130318": "ear",  # Skin of superior antihelix of ear
        "130319": "ear",  # Skin of superior posterior helix of ear
        "130320": "ear",  # Skin of superior posterior surface of the pinna
        "130321": "ear",  # Skin of upper antihelix of ear
        "130306": "face",  # Skin of caruncle of eye
        "130312": "face",  # Skin of infraalar groove
        "130311": "face",  # Skin of lower eyelid margin
        "130314": "face",  # Skin of paranasal cheek
        "130322": "face",  # Skin of upper eyelid margin
        "130309": "foot",  # Skin of lateral part of dorsum of foot
        "130313": "foot",  # Skin of medial part of dorsum of foot
        "130300": "neck",  # Skin of paraspinal area of the neck
    },
    "FMA": {
        "38344": "acral",  # Skin of palmar part of index finger
        "38357": "acral",  # Skin of palmar part of little finger
        "38347": "acral",  # Skin of palmar part of middle finger
        "38354": "acral",  # Skin of palmar part of ring finger
        "38341": "acral",  # Skin of palmar part of thumb
        "38119": "acral",  # Skin of plantar part of fifth toe
        "38116": "acral",  # Skin of plantar part of fourth toe
        "38107": "acral",  # Skin of plantar part of great toe
        "38110": "acral",  # Skin of plantar part of second toe
        "38113": "acral",  # Skin of plantar part of third toe
        "49943": "back",  # Skin of back of trunk
        "61427": "chest",  # Skin of lower inner quadrant of breast
        "61423": "chest",  # Skin of lower outer quadrant of breast
        "61426": "chest",  # Skin of upper inner quadrant of breast
        "61439": "chest",  # Skin of upper outer quadrant of left breast
        "59532": "face",  # Skin of dorsum of nose
        "312651": "face",  # Skin of vermilion proper of lower lip
        "312647": "face",  # Skin of vermilion proper of upper lip
        "37885": "foot",  # Skin of dorsal part of fifth toe
        "37882": "foot",  # Skin of dorsal part of fourth toe
        "37873": "foot",  # Skin of dorsal part of great toe
        "37876": "foot",  # Skin of dorsal part of second toe
        "37879": "foot",  # Skin of dorsal part of third toe
        "38324": "hand",  # Skin of dorsal part of index finger
        "38333": "hand",  # Skin of dorsal part of little finger
        "38327": "hand",  # Skin of dorsal part of middle finger
        "38330": "hand",  # Skin of dorsal part of ring finger
        "38321": "hand",  # Skin of dorsal part of thumb
    },
}

# How a written report names a site: code and meaning in SNOMED CT. "acral" stands for palms, soles and nails, which have no one code.
SITE_CODES: dict[str, tuple[str, str]] = {
    "abdomen": ("75093004", "Skin of abdomen"),
    "back": ("66643007", "Skin of back"),
    "chest": ("244106003", "Skin of anterior surface of thorax"),
    "ear": ("1902009", "Skin of ear"),
    "face": ("73897004", "Skin of face"),
    "foot": ("60496002", "Skin of foot"),
    "genital": ("60944009", "Skin of external genitalia"),
    "hand": ("33712006", "Skin of hand"),
    "lower extremity": ("371304004", "Skin of lower extremity"),
    "neck": ("43081002", "Skin of neck"),
    "scalp": ("43067004", "Skin of scalp"),
    "trunk": ("22943007", "Trunk"),
    "upper extremity": ("371311000", "Skin of upper extremity"),
}
# Of "Body Part Examined": those of its terms that no table of HAM10000's kind uses.
_PARTS: dict[str, str] = {
    "BREAST": "chest",
    "CSPINE": "neck",
    "EXTREMITY": "unknown",
    "FINGER": "hand",
    "THUMB": "hand",
    "TOE": "foot",
    "HEEL": "foot",
    "UPPERARM": "upper extremity",
    "ARM": "upper extremity",
    "ELBOW": "upper extremity",
    "FOREARM": "upper extremity",
    "WRIST": "upper extremity",
    "SHOULDER": "upper extremity",
    "LEG": "lower extremity",
    "THIGH": "lower extremity",
    "KNEE": "lower extremity",
    "ANKLE": "lower extremity",
    "LOWERLEG": "lower extremity",
    "BUTTOCK": "trunk",
    "EYE": "face",
    "NOSE": "face",
    "CHEEK": "face",
    "JAW": "face",
    "PENIS": "genital",
    "VULVA": "genital",
}


def site_of_code(scheme: str, code: str) -> str:
    """The body site that a code means, or "unknown"."""
    scheme, code = scheme.strip().upper(), code.strip()
    if scheme in _OLD_SNOMED:
        from pydicom.sr._snomed_dict import mapping

        scheme, code = "SCT", mapping["SRT"].get(code, "")
    return REGIONS.get("SCT" if scheme in _SNOMED else scheme, {}).get(code, "unknown")


def site_of_part(part: str) -> str:
    """The body site that a "Body Part Examined" means, or "unknown"."""
    part = part.strip().upper()
    return _PARTS.get(part) or read_site(part.lower().replace("_", " ")) or "unknown"
