/// Rows as aligned columns, two spaces in front and between; the last column is as long as it is.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("  {cell:<width$}"));
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// A row of texts.
pub(crate) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::{aligned, row};

    #[test]
    fn columns_are_aligned_by_characters() {
        let table = aligned(&[row(["name", "n", "text"]), row(["größe", "12", ""]), row(["x", "1", "y"])]);
        assert_eq!(table, "  name   n   text\n  größe  12\n  x      1   y\n");
    }
}
