//! What programs outside of emu need beyond variables, so that the admin SDK reaches Cloud Messaging: a file that Node loads first, and
//! credentials that are exchanged for a token at emu. Neither holds a secret.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::app::Addresses;
use crate::project::Port;

const PRELOAD: &str = include_str!("preload.cjs");

/// Writes the files to a folder; answers the variables that lead to them. `look` tells the variables that there are already: one's own
/// credentials stay, and so do one's own options of Node. Nothing where no port is open.
pub fn prepare(folder: &Path, addresses: &Addresses, look: impl Fn(&str) -> Option<String>) -> std::io::Result<Vec<(String, String)>> {
    if addresses.get(Port::Messaging).is_none() {
        return Ok(Vec::new());
    }
    let url = addresses.url(Port::Messaging);
    let preload = put(folder, "emu-preload.cjs", PRELOAD)?;
    let own = look("NODE_OPTIONS").map(|options| format!("{options} ")).unwrap_or_default();
    let mut all = vec![("NODE_OPTIONS".to_owned(), format!("{own}--require {}", quoted(&preload)))];
    if look("GOOGLE_APPLICATION_CREDENTIALS").is_none_or(|file| file.is_empty()) {
        let credentials = json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/0/locations/global/workloadIdentityPools/emu/providers/emu",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("{url}/token"),
            "credential_source": { "url": format!("{url}/subject"), "format": { "type": "text" } },
        });
        let file = put(folder, "emu-credentials.json", &credentials.to_string())?;
        all.push(("GOOGLE_APPLICATION_CREDENTIALS".to_owned(), file.display().to_string()));
    }
    Ok(all)
}

fn put(folder: &Path, name: &str, text: &str) -> std::io::Result<PathBuf> {
    let file = folder.join(name);
    std::fs::write(&file, text)?;
    Ok(file)
}

/// A path as Node reads it in its options: in quotes, in which a backslash escapes.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_nodes_options() {
        for (path, wanted) in [("/tmp/a", "\"/tmp/a\""), ("/tmp/a b/\"c\"", r#""/tmp/a b/\"c\"""#), ("/a\\b", r#""/a\\b""#)] {
            assert_eq!(quoted(Path::new(path)), wanted);
        }
    }
}
