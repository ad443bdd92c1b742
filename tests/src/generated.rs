use std::path::Path;

/// Holds a part of `docs/statistics.md` against what was found, or writes it where `UPDATE_EXPECTED` is set.
///
/// # Panics
/// The part is not there, or is not what was found.
pub fn generated(name: &str, found: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/statistics.md");
    let text = std::fs::read_to_string(&file).expect("docs/statistics.md");
    let (begin, end) = (format!("<!-- {name}: generated -->\n"), format!("<!-- {name}: end -->"));
    let (before, rest) =
        text.split_once(&begin).unwrap_or_else(|| panic!("no {begin:?} in docs/statistics.md"));
    let (there, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end:?} in docs/statistics.md"));
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&file, format!("{before}{begin}{found}{end}{after}")).expect("docs/statistics.md");
    } else {
        assert_eq!(there, found, "docs/statistics.md is not what this finds: UPDATE_EXPECTED=1 writes it");
    }
}
