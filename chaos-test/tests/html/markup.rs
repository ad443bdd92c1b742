//! Enough of HTML to read the page back.

/// The part from one marker to the next other one.
pub(crate) fn within<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    let rest = &page[page.find(from).unwrap_or_else(|| panic!("no {from}"))..];
    &rest[..rest.find(to).unwrap_or_else(|| panic!("no {to}")) + to.len()]
}

/// What of a page is neither style nor script.
pub(crate) fn document(page: &str) -> String {
    let mut out = page.to_owned();
    for (from, to) in [("<style>", "</style>"), ("<script>", "</script>")] {
        if out.contains(from) {
            let part = within(&out, from, to).to_owned();
            out = out.replacen(&part, "", 1);
        }
    }
    out
}

/// What a reader sees, with single spaces.
pub(crate) fn text(page: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in document(page).replace("<wbr>", "").chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    let plain = out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every tag of a page with its attributes, as a browser would read them; closing tags begin with a slash.
pub(crate) fn tags(page: &str) -> Vec<(String, Vec<String>)> {
    let document = document(page);
    let mut found = Vec::new();
    let mut rest = document.as_str();
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find(|c: char| c.is_whitespace() || c == '>').expect("a tag ends");
        let (name, mut inside) = rest.split_at(end);
        let mut attributes = Vec::new();
        loop {
            inside = inside.trim_start();
            if let Some(after) = inside.strip_prefix('>') {
                rest = after;
                break;
            }
            let end =
                inside.find(|c: char| c.is_whitespace() || c == '=' || c == '>').expect("an attribute ends");
            attributes.push(inside[..end].to_owned());
            inside = &inside[end..];
            if let Some(value) = inside.strip_prefix("=\"") {
                inside = &value[value.find('"').expect("a value ends") + 1..];
            }
        }
        found.push((name.to_owned(), attributes));
    }
    found
}
