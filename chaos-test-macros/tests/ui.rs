//! What the compiler says to a misspelt name and to a sync fn: on the literal, with the one that was meant.
//!
//! Here and not in the suite, whose dependencies are four times as many: all of them are built once more for it.

#[test]
fn compile_errors() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
