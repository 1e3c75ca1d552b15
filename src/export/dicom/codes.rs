//! What a segment is, in codes. In: its name. Out: SNOMED CT codes of its category, its kind and its side, where the name is a
//! known one; else `Tissue`, as other programs write it.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use super::element::{Item, put_text};

/// A concept: code and meaning, of SNOMED CT unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(&'static str, &'static str);

/// What a segment is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Concept {
    pub category: Code,
    pub kind: Code,
    /// Left or right.
    pub side: Option<Code>,
}

const TISSUE: Code = Code("85756007", "Tissue");
const ANATOMY: Code = Code("91723000", "Anatomical Structure");
const ABNORMAL: Code = Code("49755003", "Morphologically Abnormal Structure");
const SIDES: [(&str, Code); 2] = [
    ("left", Code("7771000", "Left")),
    ("right", Code("24028007", "Right")),
];

/// Words in a name and what they mean; of several the longest counts.
const ORGANS: [(&str, Code); 45] = [
    ("adrenal gland", Code("23451007", "Adrenal gland")),
    ("aorta", Code("15825003", "Aorta")),
    ("bladder", Code("89837001", "Bladder")),
    ("brain", Code("12738006", "Brain")),
    ("breast", Code("76752008", "Breast")),
    ("cerebellum", Code("113305005", "Cerebellum")),
    ("clavicle", Code("51299004", "Clavicle")),
    ("colon", Code("71854001", "Colon")),
    ("duodenum", Code("38848004", "Duodenum")),
    ("esophagus", Code("32849002", "Esophagus")),
    ("eye", Code("81745001", "Eye")),
    ("femur", Code("71341001", "Femur")),
    ("gallbladder", Code("28231008", "Gallbladder")),
    ("heart", Code("80891009", "Heart")),
    ("hip", Code("29836001", "Hip")),
    ("hippocampus", Code("5366008", "Hippocampus")),
    ("humerus", Code("85050009", "Humerus")),
    ("inferior vena cava", Code("64131007", "Inferior vena cava")),
    ("kidney", Code("64033007", "Kidney")),
    ("left atrium", Code("82471001", "Left atrium")),
    ("left ventricle", Code("87878005", "Left ventricle")),
    ("liver", Code("10200004", "Liver")),
    ("lung", Code("39607008", "Lung")),
    ("mandible", Code("91609006", "Mandible")),
    ("pancreas", Code("15776009", "Pancreas")),
    ("portal vein", Code("32764006", "Portal vein")),
    ("prostate", Code("41216001", "Prostate")),
    ("pulmonary artery", Code("81040000", "Pulmonary artery")),
    ("rectum", Code("34402009", "Rectum")),
    ("rib", Code("113197003", "Rib")),
    ("right atrium", Code("73829009", "Right atrium")),
    ("right ventricle", Code("53085002", "Right ventricle")),
    ("sacrum", Code("54735007", "Sacrum")),
    ("scapula", Code("79601000", "Scapula")),
    ("skull", Code("89546000", "Skull")),
    ("small bowel", Code("30315005", "Small intestine")),
    ("small intestine", Code("30315005", "Small intestine")),
    ("spinal cord", Code("2748008", "Spinal cord")),
    ("spleen", Code("78961009", "Spleen")),
    ("sternum", Code("56873002", "Sternum")),
    ("stomach", Code("69695003", "Stomach")),
    ("superior vena cava", Code("48345005", "Superior vena cava")),
    ("trachea", Code("44567001", "Trachea")),
    ("uterus", Code("35039007", "Uterus")),
    ("vertebra", Code("51282000", "Vertebra")),
];

/// The same, for what does not belong there; asked first, so that a liver tumour is a tumour.
const FINDINGS: [(&str, Code); 10] = [
    ("cyst", Code("367643001", "Cyst")),
    ("edema", Code("79654002", "Edema")),
    ("hemorrhage", Code("50960005", "Hemorrhage")),
    ("lesion", Code("52988006", "Lesion")),
    ("mass", Code("4147007", "Mass")),
    ("necrosis", Code("6574001", "Necrosis")),
    ("neoplasm", Code("108369006", "Neoplasm")),
    ("nodule", Code("27925004", "Nodule")),
    ("tumor", Code("108369006", "Neoplasm")),
    ("tumour", Code("108369006", "Neoplasm")),
];

/// The concept that a name means.
pub(super) fn concept(name: &str) -> Concept {
    let words: Vec<String> = name
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let text = format!(" {} ", words.join(" "));
    let within = |phrase: &str| text.contains(&format!(" {phrase} "));
    let among = |table: &[(&str, Code)]| {
        let found = table.iter().filter(|(phrase, _)| within(phrase));
        let found = found.max_by_key(|(phrase, _)| phrase.len());
        found.map(|(_, code)| *code)
    };
    let (category, kind) = match (among(&FINDINGS), among(&ORGANS)) {
        (Some(finding), _) => (ABNORMAL, finding),
        (None, Some(organ)) => (ANATOMY, organ),
        (None, None) => (TISSUE, TISSUE),
    };
    // The left ventricle is called so: its side is no modifier.
    let side = among(&SIDES).filter(|side| kind != TISSUE && !kind.1.starts_with(side.1));
    Concept {
        category,
        kind,
        side,
    }
}

impl Code {
    /// As an item of a code sequence.
    pub fn item(self) -> Item {
        coded(self.0, "SCT", self.1)
    }
}

/// An item of a code sequence, of any scheme.
pub(super) fn coded(code: &str, scheme: &str, meaning: &str) -> Item {
    let mut item = Item::new_empty();
    put_text(&mut item, tags::CODE_VALUE, VR::SH, code);
    put_text(&mut item, tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme);
    put_text(&mut item, tags::CODE_MEANING, VR::LO, meaning);
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_to_concepts() {
        let meaning = |name: &str| {
            let found = concept(name);
            (
                found.category.1,
                found.kind.1,
                found.side.map(|side| side.1),
            )
        };
        let anatomy = ANATOMY.1;
        for (name, kind, side) in [
            ("Liver", "Liver", None),
            ("kidney_left", "Kidney", Some("Left")),
            ("Right kidney", "Kidney", Some("Right")),
            ("Hippocampus (R)", "Hippocampus", None),
            ("heart left ventricle", "Left ventricle", None),
            ("vena cava, inferior", "Tissue", None),
            ("inferior_vena_cava", "Inferior vena cava", None),
            ("gallbladder", "Gallbladder", None),
            ("rib left 4", "Rib", Some("Left")),
        ] {
            let category = if kind == "Tissue" { "Tissue" } else { anatomy };
            assert_eq!(meaning(name), (category, kind, side), "{name}");
        }
        assert_eq!(meaning("liver tumour"), (ABNORMAL.1, "Neoplasm", None));
        assert_eq!(meaning("label 3"), ("Tissue", "Tissue", None));
        // A word is a word: a massif is no mass, ribbons are no ribs.
        assert_eq!(meaning("massif ribbons"), ("Tissue", "Tissue", None));
        assert_eq!(meaning(""), ("Tissue", "Tissue", None));
    }
}
