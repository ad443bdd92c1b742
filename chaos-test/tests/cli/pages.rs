use crate::reports::{fail, pass};
use crate::sandbox::Sandbox;

#[test]
fn the_page_goes_where_it_is_told() {
    let sandbox = Sandbox::new();
    sandbox.keep(&fail("breaks").report());
    sandbox.keep(&pass("survives").report());
    let ended = sandbox.run(&["report", "--html", "out/page.html", "--fail-on-violation"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.starts_with("# Chaos report\n"), "the Markdown goes where it went: {ended:?}");
    let page = sandbox.read("out/page.html");
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">") && page.ends_with("</html>"), "{page}");
    assert_eq!(page.matches("<details").count(), 2);
    assert_eq!(page.matches("<h4>Timeline</h4>").count(), 2);
    // Nothing of it is taken for a record the next time.
    assert_eq!(sandbox.run(&["report", "--html", "runs/run-1/chaos_report.html"]).code, Some(0));
    assert_eq!(sandbox.run(&["report"]).code, Some(0));
}

#[test]
fn it_is_one_of_all_outputs() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    assert_eq!(sandbox.run(&["report", "--out", "all"]).code, Some(0));
    assert!(sandbox.read("all/chaos_report.html").contains("1 of 1 test passed"));
    sandbox.write("file", "");
    let ended = sandbox.run(&["report", "--html", "file/below.html"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("error: cannot write file/below.html: "), "{ended:?}");
    assert!(ended.stderr.contains("--html"), "{ended:?}");
}

#[test]
fn a_record_that_cannot_be_read_is_on_the_page() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    sandbox.write("runs/run-1/cut.json", "{");
    assert_eq!(sandbox.run(&["report", "--html", "page.html"]).code, Some(3));
    let page = sandbox.read("page.html");
    assert!(
        page.contains("runs/run-1/cut.json</code> could not be read and is missing here: cut short"),
        "{page}"
    );
}
