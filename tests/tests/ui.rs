//! What the compiler says to a misspelt name and to a sync fn: on the literal, with the one that was meant.

#[test]
fn compile_errors() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
