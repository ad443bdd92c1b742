//! Memory of this process.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read")]

use std::ffi::c_void;
use std::fs;

use nix::libc;

/// Lets go of what was only needed to start: pages of the program and its libraries that can be read again from their
/// files at any time. A reaper sleeps for most of its life, and a test binary is large.
pub(crate) fn let_go() {
    let Ok(maps) = fs::read_to_string("/proc/self/smaps") else { return };
    // Else the next touch of one page brings back two megabytes of its neighbours.
    // SAFETY: this prctl takes integers and changes only how pages of this process are mapped.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
    let mut mapping = None;
    for line in maps.lines() {
        if let Some(found) = range(line) {
            mapping = found;
        } else if line.split_ascii_whitespace().eq(["Anonymous:", "0", "kB"])
            && let Some((start, length)) = mapping.take()
        {
            // SAFETY: the mapping is of a file, is never written to, and holds no page of its own: whatever is
            // dropped is read again from the file when it is touched.
            unsafe { libc::madvise(start as *mut c_void, length, libc::MADV_DONTNEED) };
        }
    }
}

/// The first line of a mapping: where it is, if it is of a file and cannot be written to.
fn range(line: &str) -> Option<Option<(usize, usize)>> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    let (mode, path) = (fields.next()?, fields.nth(3));
    let of_a_file = path.is_some_and(|path| path.starts_with('/'));
    Some((of_a_file && !mode.contains('w')).then_some((start, end - start)))
}
