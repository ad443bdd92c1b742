//! The image that helpers in containers run from: this program, with the libraries it has loaded.
//!
//! A library can ship no program, but this one is linked into one, which turns into a helper before its `main`
//! (`sys/hook.rs`). So an image of nothing but that program needs no registry, no build and no tool, and is always of the
//! same version. It runs in a file system of its own: what is in a target's image does not matter.
#![allow(clippy::disallowed_methods, reason = "sys is where files are read")]

use std::collections::{BTreeMap, hash_map::DefaultHasher};
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::TryStreamExt;
use testcontainers::bollard::query_parameters::{
    CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions,
};
use testcontainers::bollard::{Docker, body_full};
use tokio::sync::Mutex;

use super::engine::{engine, told};
use crate::sys::clock::unix_time;
use crate::sys::locks::{Lock, LockDir, Mode};
use crate::sys::{env, timer};

/// An image with a helper that somebody has made, instead of one made of this program.
const NAMED: &str = "CHAOS_TEST_HELPER_IMAGE";
/// What the images made here are called; what they are made of follows.
const REPOSITORY: &str = "chaos-test-helper";
/// The label that says which program an image was made of, so that the next one replaces it.
const OF: &str = "chaos-test.helper-of";
/// The first word of a helper's command line in a container, by which it knows itself. It is the loader, or the program.
pub(crate) const PROGRAM: &str = "/chaos-test-sidecar";
/// The lock of whoever makes an image, how long it is waited for, and how often is looked.
const TURN: &str = "helper-image.lock";
const LONGEST: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);
/// An image of this program as it was may be needed for so long, and one of another program.
const YOUNG: Duration = Duration::from_secs(3600);
const OLD: Duration = Duration::from_secs(7 * 24 * 3600);
const LIBRARIES: &str = "/lib";
const HELPER: &str = "/helper";

/// This program, also when its file was replaced by another.
const THIS: &str = "/proc/self/exe";

/// What a container is to run to be a helper.
#[derive(Debug, Clone)]
pub(crate) struct Helper {
    pub(crate) image: String,
    pub(crate) command: Vec<String>,
}

/// The image for helpers; made at the first call, if the engine does not have it yet.
pub(crate) async fn helper() -> io::Result<Helper> {
    let mut known = KNOWN.lock().await;
    let helper = match known.take() {
        Some(helper) => helper,
        None => make().await?,
    };
    Ok(known.insert(helper).clone())
}

/// The engine does not know the image any more: somebody has removed it. The next call makes another.
pub(crate) async fn forget() {
    *KNOWN.lock().await = None;
}

static KNOWN: Mutex<Option<Helper>> = Mutex::const_new(None);

async fn make() -> io::Result<Helper> {
    match env::var(NAMED) {
        Some(image) => Ok(Helper { image, command: vec![PROGRAM.into()] }),
        None => of_this_program().await,
    }
}

/// The image of this program; made if the engine does not have it yet.
pub(super) async fn of_this_program() -> io::Result<Helper> {
    let parts = tokio::task::spawn_blocking(Parts::of_this_program).await.map_err(io::Error::other)??;
    let image = format!("{REPOSITORY}:{}", parts.fingerprint);
    let helper = Helper { image: image.clone(), command: parts.command() };
    let docker = engine().await?;
    if docker.inspect_image(&image).await.is_ok() {
        return Ok(helper);
    }
    // Under nextest many processes come here at once.
    let _turn = turn().await;
    if docker.inspect_image(&image).await.is_ok() {
        return Ok(helper);
    }
    let label = format!("LABEL {OF}={}", parts.origin);
    let options = CreateImageOptionsBuilder::default()
        .from_src("-")
        .repo(REPOSITORY)
        .tag(&parts.fingerprint)
        .changes(vec![label])
        .build();
    let origin = parts.origin.clone();
    let archive = parts.archive().await?;
    let made = docker.create_image(Some(options), Some(body_full(archive.into())), None);
    made.try_collect::<Vec<_>>().await.map_err(told)?;
    forget_older(docker, &origin, &image).await;
    Ok(helper)
}

/// The right to make an image alone, unless it cannot be had: two that are made at once do no harm.
async fn turn() -> Option<Lock> {
    let (dir, end) = (LockDir::of_host().ok()?, timer::now() + LONGEST);
    while timer::now() < end {
        if let Some(lock) = dir.try_take(TURN, Mode::Exclusive).ok()? {
            return Some(lock);
        }
        tokio::time::sleep(LOOK).await;
    }
    None
}

/// Removes what was made of this program before it was built anew, unless a run of that may still be going on; and what
/// was made of others long ago. Nobody needs it; what is in use stays, and what is missed is made again.
async fn forget_older(docker: &Docker, origin: &str, keep: &str) {
    let filters = std::collections::HashMap::from([("label", vec![OF.to_owned()])]);
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let now = unix_time().as_secs();
    for image in docker.list_images(Some(options)).await.unwrap_or_default() {
        let age = Duration::from_secs(now.saturating_sub(u64::try_from(image.created).unwrap_or(now)));
        let replaced = image.labels.get(OF).is_some_and(|of| of == origin);
        if age < if replaced { YOUNG } else { OLD } {
            continue;
        }
        // Of two that were made at the same time, one has lost its name.
        let nameless = image.repo_tags.is_empty().then_some(&image.id);
        for name in image.repo_tags.iter().filter(|name| *name != keep).chain(nameless) {
            let _ = docker.remove_image(name, None::<RemoveImageOptions>, None).await;
        }
    }
}

/// What a helper is made of.
struct Parts {
    /// By the name they are asked for.
    libraries: BTreeMap<String, PathBuf>,
    loader: Option<PathBuf>,
    /// The program's path, in few letters.
    origin: String,
    /// Its path and what it is, in few letters.
    fingerprint: String,
}

impl Parts {
    fn of_this_program() -> io::Result<Self> {
        let path = Path::new(THIS);
        let (named, meta) = (fs::read_link(path)?, fs::metadata(path)?);
        let (libraries, loader) = loaded(&fs::read_to_string("/proc/self/maps")?, &named)?;
        Ok(Self {
            libraries,
            loader,
            origin: origin()?,
            fingerprint: hashed(&(&named, meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec())),
        })
    }

    fn command(&self) -> Vec<String> {
        match self.loader {
            Some(_) => vec![PROGRAM.into(), "--library-path".into(), LIBRARIES.into(), HELPER.into()],
            None => vec![PROGRAM.into()],
        }
    }

    /// Every file, by its place in the image.
    fn files(&self) -> io::Result<Vec<(String, Vec<u8>)>> {
        let read = |path: &Path| {
            fs::read(path)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
        };
        let mut program = read(Path::new(THIS))?;
        without_debug_information(&mut program);
        let mut files = match &self.loader {
            Some(loader) => vec![(PROGRAM.to_owned(), read(loader)?), (HELPER.to_owned(), program)],
            None => vec![(PROGRAM.to_owned(), program)],
        };
        for (name, path) in &self.libraries {
            files.push((format!("{LIBRARIES}/{name}"), read(path)?));
        }
        Ok(files)
    }

    async fn archive(self) -> io::Result<Vec<u8>> {
        let files = tokio::task::spawn_blocking(move || self.files()).await.map_err(io::Error::other)??;
        let mut archive = tokio_tar::Builder::new(Vec::new());
        for (path, data) in files {
            let mut header = tokio_tar::Header::new_gnu();
            header.set_size(data.len() as u64);
            header.set_mode(0o755);
            archive.append_data(&mut header, path.trim_start_matches('/'), &*data).await?;
        }
        archive.into_inner().await
    }
}

/// The path of this program, in few letters: what all images that were made of it have in common.
pub(super) fn origin() -> io::Result<String> {
    fs::read_link("/proc/self/exe").map(|path| hashed(&path))
}

fn hashed(what: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Cuts off what no loader reads: in a debug build most of the file. Left alone if it is not as expected.
fn without_debug_information(program: &mut Vec<u8>) {
    let Some(end) = end_of_segments(program) else { return };
    if end < program.len() {
        program.truncate(end);
        // Where the sections are, how many and which holds their names: nowhere, none.
        program[40..48].fill(0);
        program[60..64].fill(0);
    }
}

/// Where the last segment of a 64-bit ELF file ends.
fn end_of_segments(program: &[u8]) -> Option<usize> {
    let number = |at: usize, bytes: usize| -> Option<usize> {
        let mut whole = [0; 8];
        whole[..bytes].copy_from_slice(program.get(at..at + bytes)?);
        usize::try_from(u64::from_le_bytes(whole)).ok()
    };
    if !program.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let headers_end = table.checked_add(size.checked_mul(count)?)?;
    let ends = (0..count).map(|n| {
        let header = table + n * size;
        number(header + 8, 8)?.checked_add(number(header + 32, 8)?)
    });
    let last = ends.collect::<Option<Vec<_>>>()?.into_iter().max()?;
    Some(last.max(headers_end).max(64)).filter(|end| *end <= program.len())
}

/// The libraries a process has loaded, by the names they go by in their folder, and its loader.
fn loaded(maps: &str, program: &Path) -> io::Result<(BTreeMap<String, PathBuf>, Option<PathBuf>)> {
    let (mut libraries, mut loader) = (BTreeMap::new(), None);
    let mapped =
        maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.contains('x')));
    for path in mapped.filter_map(|line| line.find('/').map(|at| Path::new(&line[at..]))) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path != program) else {
            continue;
        };
        if name.starts_with("ld-") {
            loader = Some(path.to_path_buf());
            continue;
        }
        libraries.insert(name.to_owned(), path.to_path_buf());
        // A library is asked for by a name that often is a link to the file.
        for entry in path.parent().map(fs::read_dir).transpose()?.into_iter().flatten().flatten() {
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            if is_link && fs::canonicalize(entry.path()).is_ok_and(|target| target == path) {
                libraries.insert(entry.file_name().to_string_lossy().into_owned(), path.to_path_buf());
            }
        }
    }
    Ok((libraries, loader))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_no_segment() {
        let mut program = fs::read("/proc/self/exe").expect("this program");
        let whole = program.len();
        without_debug_information(&mut program);
        assert!(program.len() < whole, "a test has its symbols");
        assert_eq!(end_of_segments(&program), Some(program.len()));
        let mut script = b"#!/bin/sh".to_vec();
        without_debug_information(&mut script);
        assert_eq!(script, b"#!/bin/sh");
    }

    #[test]
    fn the_libraries_of_this_test_are_found() {
        let maps = fs::read_to_string("/proc/self/maps").expect("maps");
        let exe = fs::read_link("/proc/self/exe").expect("a path");
        let (libraries, loader) = loaded(&maps, &exe).expect("folders can be read");
        assert_eq!(loader.is_some(), libraries.contains_key("libc.so.6"), "{libraries:?} {loader:?}");
    }
}
