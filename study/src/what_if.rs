//! What a page needs to ask what if: the module that replays, and what it is asked about.

use crate::{Error, confirm::Engine};
use milp_schema::read;
use milp_show::report::{Part, Run, whatif::WhatIf};
use std::path::{Path, PathBuf};

/// Where the module is, if it is not where `scripts/wasm.sh` puts it.
pub const MODULE: &str = "MILP_WASM";

/// What a page of a run needs, asked of the replicas of `engine`, or of this program's own where that
/// one cannot run in a page.
///
/// # Errors
///
/// When there is no module, or nothing to ask.
pub fn what_if(run: &Run, engine: &Engine, part: Part) -> Result<WhatIf, Error> {
    let set = std::env::var_os(MODULE).map(PathBuf::from);
    let executable = std::env::current_exe().unwrap_or_default();
    let module = read::bytes(&module(set, &executable)?)?;
    let instance = engine.put_into(&run.instance)?;
    let how = (*engine == Engine::Interpreter, engine.is_outside());
    Ok(WhatIf::new((run, part), &instance, how, module)?)
}

/// The file that is named, else `wasm/milp_whatif.wasm.gz` beside the executable (an installation),
/// beside its folder (`target/debug/milp`) or one above (tests).
fn module(set: Option<PathBuf>, executable: &Path) -> Result<PathBuf, Error> {
    if let Some(named) = set {
        return Ok(named);
    }
    let folders = executable.ancestors().skip(1).take(3);
    let mut places = folders.map(|folder| folder.join("wasm/milp_whatif.wasm.gz"));
    places.find(|path| path.is_file()).ok_or_else(|| {
        Error::Refused(format!(
            "--what-if needs the module that replays inside the page, and it was not built: run \
             `make wasm` in the sources, or set {MODULE} to the file milp_whatif.wasm.gz"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::module;
    use std::path::Path;

    #[test]
    fn the_module_is_beside_the_program_or_where_it_is_said_to_be() {
        let root = tempfile::tempdir().expect("a folder");
        let executable = root.path().join("target/debug/milp");
        let error = module(None, &executable).expect_err("none was built");
        assert!(error.to_string().contains("run `make wasm`"), "{error}");
        let built = root.path().join("target/wasm/milp_whatif.wasm.gz");
        std::fs::create_dir_all(built.parent().expect("a folder")).expect("a folder");
        std::fs::write(&built, "").expect("a file");
        assert_eq!(module(None, &executable).expect("it is there"), built);
        let other = Path::new("other.wasm").to_owned();
        let found = module(Some(other.clone()), &executable);
        assert_eq!(found.expect("what is said"), other);
    }
}
