//! Files and folders that appear whole or not at all.
//!
//! Everything is written under a temporary name beside the target, forced to the disk and
//! renamed. A temporary name is `.<target>.milp-tmp-<random>`; its writer holds a lock on it, so
//! a later run to the same target knows which ones a killed run left behind, and removes those and
//! nothing else.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Write as _},
    path::{Component, Path, PathBuf},
};

/// Writes the folder `dir` with exactly `files` (name to content).
///
/// The folder appears whole: whoever looks sees the old one or the new one. An existing folder is
/// replaced if all files in it are `ours` by their names. Of two concurrent writers one wins
/// entirely. An error or a kill leaves the old folder as it was.
///
/// # Errors
/// Whatever the file system reports; a file name that is not a plain name; a target that is no
/// folder, or one that holds a folder or a file of others, which is not removed.
pub fn folder(
    dir: &Path,
    files: &BTreeMap<String, Vec<u8>>,
    ours: &dyn Fn(&str) -> bool,
) -> io::Result<()> {
    for name in files.keys() {
        if !plain_name(name) {
            return Err(invalid(format!("`{name}` is not a plain file name")));
        }
    }
    let target = Target::of(dir)?;
    replaceable(&target.path, ours)?;
    let lock = target.lock_parent();
    target.remove_stale(lock.as_ref());
    let prefix = target.prefix();
    let temporary = builder(&prefix, 0o777).tempdir_in(&target.parent)?;
    let _alive = hold(temporary.path());
    drop(lock);

    for (name, bytes) in files {
        let mut file = File::create_new(temporary.path().join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    sync_folder(temporary.path())?;

    // One writer at a time swaps; the other one's folder is whole when its turn comes.
    let lock = target.lock_parent();
    replaceable(&target.path, ours)?;
    swap(&temporary, &target, ours)?;
    drop(lock);
    sync_folder(&target.parent)
}

/// Writes the file `path` whole, in place of an existing one. Something that is not a regular
/// file, such as a pipe or `/dev/stdout`, is written to directly.
///
/// # Errors
/// Whatever the file system reports; the old file is then as it was.
pub fn file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return fs::OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(bytes);
    }
    let target = Target::of(path)?;
    let lock = target.lock_parent();
    target.remove_stale(lock.as_ref());
    let prefix = target.prefix();
    let mut temporary = builder(&prefix, 0o666).tempfile_in(&target.parent)?;
    let _alive = hold(temporary.path());
    drop(lock);
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary
        .persist(&target.path)
        .map_err(|error| error.error)?;
    sync_folder(&target.parent)
}

/// The name of the file or folder that a temporary name is for, if it is one.
pub fn temporary_of(name: &str) -> Option<&str> {
    std::str::from_utf8(target_of(name.as_bytes())?).ok()
}

/// Removes from `dir` what killed runs left there under temporary names of files and folders that are
/// `ours`. What cannot be removed stays; it harms nobody.
pub fn remove_leftovers(dir: &Path, ours: &dyn Fn(&str) -> bool) {
    if let Some(lock) = lock(dir) {
        remove_stale(dir, &|name| std::str::from_utf8(name).is_ok_and(ours));
        drop(lock);
    }
}

/// As many letters and digits as `tempfile` makes up.
const RANDOM: usize = 6;

const MARK: &[u8] = b".milp-tmp-";

/// What [`exchange_in_steps`] adds.
const ASIDE: &str = "-old";

fn target_of(name: &[u8]) -> Option<&[u8]> {
    let name = name.strip_prefix(b".")?;
    let name = name.strip_suffix(ASIDE.as_bytes()).unwrap_or(name);
    let (name, random) = name.split_at_checked(name.len().checked_sub(RANDOM)?)?;
    let made_up = random.iter().all(u8::is_ascii_alphanumeric);
    let name = name.strip_suffix(MARK).filter(|_| made_up)?;
    (!name.is_empty()).then_some(name)
}

/// Keeps other writers out of a folder; `None` where the file system has no locks.
fn lock(folder: &Path) -> Option<File> {
    let folder = File::open(folder).ok()?;
    folder.lock().ok()?;
    Some(folder)
}

/// Removes temporary names whose writer's lock is gone, of targets that are meant. Only under the
/// folder's lock, because a name is made before it is locked.
fn remove_stale(folder: &Path, meant: &dyn Fn(&[u8]) -> bool) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let path = entry.path();
        let ours = target_of(name.as_encoded_bytes()).is_some_and(meant);
        // A leftover that cannot be removed harms nobody and must not stop the run.
        if ours && hold(&path).is_some() {
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        }
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

fn plain_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(only)), None) if only == name)
}

/// Where to write, links resolved.
struct Target {
    path: PathBuf,
    parent: PathBuf,
    name: OsString,
}

impl Target {
    fn of(path: &Path) -> io::Result<Self> {
        let path = if path.exists() {
            fs::canonicalize(path)?
        } else {
            path.to_owned()
        };
        let Some(name) = path.file_name().map(OsStr::to_owned) else {
            return Err(invalid(format!(
                "`{}` has no name of its own",
                path.display()
            )));
        };
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        fs::create_dir_all(&parent)?;
        Ok(Self { path, parent, name })
    }

    fn prefix(&self) -> OsString {
        let mut prefix = OsString::from(".");
        prefix.push(&self.name);
        prefix.push(std::str::from_utf8(MARK).expect("it is ASCII"));
        prefix
    }

    /// Keeps other writers out of the parent folder; `None` where the file system has no locks.
    fn lock_parent(&self) -> Option<File> {
        lock(&self.parent)
    }

    /// Removes what a killed run to this target left behind.
    fn remove_stale(&self, parent_lock: Option<&File>) {
        if parent_lock.is_some() {
            remove_stale(&self.parent, &|name| name == self.name.as_encoded_bytes());
        }
    }
}

/// Makes temporary names, with the rights that a file or folder made by hand would have.
fn builder(prefix: &OsStr, mode: u32) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).rand_bytes(RANDOM);
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

/// Takes the lock of a temporary name unless another writer has it; it lasts as long as the file
/// returned.
fn hold(path: &Path) -> Option<File> {
    let file = File::open(path).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

/// Refuses what a mistyped `--out` could destroy.
fn replaceable(path: &Path, ours: &dyn Fn(&str) -> bool) -> io::Result<()> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            return Err(invalid(format!(
                "`{}` holds the folder `{}`, so it is not a folder of results; it is not replaced",
                path.display(),
                entry.file_name().display()
            )));
        }
        let name = entry.file_name();
        let known = |name: &str| ours(name) || temporary_of(name).is_some_and(ours);
        if !name.to_str().is_some_and(known) {
            return Err(invalid(format!(
                "`{}` holds `{}`, which is not one of its files; it is not replaced",
                path.display(),
                name.display()
            )));
        }
    }
    Ok(())
}

/// Puts the temporary folder in the target's place and removes the folder that was there.
fn swap(
    temporary: &tempfile::TempDir,
    target: &Target,
    ours: &dyn Fn(&str) -> bool,
) -> io::Result<()> {
    if !target.path.exists() {
        return fs::rename(temporary.path(), &target.path);
    }
    exchange(temporary.path(), &target.path)?;
    // Who puts a file there in this very moment must not lose it.
    if let Err(error) = replaceable(temporary.path(), ours) {
        exchange(temporary.path(), &target.path)?;
        return Err(error);
    }
    // The new folder is in place; what is left of the old one is removed by a later run if not
    // by this one, when `temporary` goes out of scope.
    Ok(())
}

/// Exchanges two folders in one step, so that the target is never missing.
#[cfg(target_os = "linux")]
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    use rustix::{
        fs::{CWD, RenameFlags, renameat_with},
        io::Errno,
    };

    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        // The file system cannot exchange.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => exchange_in_steps(new, old),
        result => Ok(result?),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    exchange_in_steps(new, old)
}

/// For a moment there is no target; a kill in that moment leaves the old folder under its
/// temporary name.
fn exchange_in_steps(new: &Path, old: &Path) -> io::Result<()> {
    let mut aside = new.as_os_str().to_owned();
    aside.push(ASIDE);
    fs::rename(old, &aside)?;
    if let Err(error) = fs::rename(new, old) {
        fs::rename(&aside, old)?;
        return Err(error);
    }
    fs::rename(&aside, new)
}

/// Forces the names in a folder to the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()
    } else {
        Ok(())
    }
}
