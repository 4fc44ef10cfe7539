//! Versions that outlive the process.

use std::path::Path;

use super::*;

/// Does what a process would: starts, loads, calls four times, and ends once nothing is left to do.
fn process(cache: &Path, bundle: Bundle) -> Vec<Value> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let answers = runtime.block_on(async {
        let sandbox = Sandbox::new(Options { sandboxes_max: 8, ..Options::new(cache) }).expect("the sandbox starts");
        let image = sandbox.load(bundle, Arc::new(World::default())).await.expect("it loads");
        // The first in the sandbox that it was loaded in, others while its image is compiled, and one of that.
        let early = futures_util::future::join_all((0..3).map(|_| call(&image, json!({})))).await;
        let deadline = Instant::now() + Duration::from_secs(10);
        while !image.is_compiled() {
            assert!(Instant::now() < deadline, "its image is not compiled");
            tokio::task::yield_now().await;
        }
        let late = call(&image, json!({})).await;
        early.into_iter().chain([late]).map(|answer| answer.expect("an answer")).collect()
    });
    // Waits for what has begun on threads that may block.
    drop(runtime);
    answers
}

fn kept(file: &Path, may: bool, bundle: Bundle) -> Bundle {
    Bundle { keep: Some(Keep { file: file.to_owned(), may: Arc::new(move || may) }), ..bundle }
}

/// Puts another text of the same length into a file, and makes that whole again.
fn spoil(file: &Path, text: &str, other: &str) {
    let mut content = std::fs::read(file).expect("it was kept");
    content.truncate(content.len() - 8);
    let mut found = 0;
    for at in 0..content.len() - text.len() {
        if &content[at..at + text.len()] == text.as_bytes() {
            content[at..at + text.len()].copy_from_slice(other.as_bytes());
            found += 1;
        }
    }
    assert!(found > 0, "it has {text:?}");
    let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &content);
    content.extend_from_slice(&sum.to_le_bytes());
    std::fs::write(file, content).expect("written");
}

const CODE: &str = "const made = ['a', 'version'].join(' of '); let calls = 0; const list = Array.from({ length: 200000 }, (_, i) => i);
    export const handler = async () => [made, process.env.NAME, ++calls, list.length]";

#[test]
fn a_version_is_evaluated_once_for_all_processes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, file) = (folder.path().join("cache"), folder.path().join("versions/f.version"));
    let run = |code: &str, name: &str| {
        let environment = [("NAME".to_string(), name.to_string())].into();
        process(&cache, kept(&file, true, Bundle { environment, ..bundle(code) }))
    };
    let fresh = |made: &str, name: &str| vec![json!([made, name, 1, 200_000]); 4];
    // The first process makes the image that all versions grow from; in the next ones that is known by its file.
    assert_eq!(run(CODE, "n"), fresh("a of version", "n"));
    assert!(!file.exists());
    assert_eq!(run(CODE, "n"), fresh("a of version", "n"));
    spoil(&file, "a of version", "A OF VERSION");
    assert_eq!(run(CODE, "n"), fresh("A OF VERSION", "n"), "it is what was kept");
    assert_eq!(run(CODE, "other"), fresh("a of version", "other"), "another environment is another version");
    spoil(&file, "a of version", "A OF VERSION");
    assert_eq!(run(&CODE.replace("let calls", "let  calls"), "other"), fresh("a of version", "other"), "other code is another version");
    let whole = std::fs::read(&file).expect("it was kept");
    std::fs::write(&file, &whole[..whole.len() / 2]).expect("written");
    assert_eq!(run(CODE, "n"), fresh("a of version", "n"), "what is not whole is made anew");
}

#[test]
fn what_may_not_be_kept_or_would_be_another_in_another_process_is_evaluated_in_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, file) = (folder.path().join("cache"), folder.path().join("f.version"));
    drop(process(&cache, bundle(CODE)));
    for (code, may) in [
        (CODE, false),
        ("const began = Date.now(); export const handler = async () => began", true),
        ("const drawn = Math.random(); export const handler = async () => drawn", true),
        ("console.log('loaded'); export const handler = async () => 1", true),
        ("await fetch('http://outside.test/'); export const handler = async () => 1", true),
    ] {
        drop(process(&cache, kept(&file, may, bundle(code))));
        assert!(!file.exists(), "{code}");
    }
    drop(process(&cache, kept(&file, true, bundle(CODE))));
    assert!(file.exists());
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).expect("it is there").permissions());
        assert_eq!(mode & 0o777, 0o600, "it may hold secrets");
    }
}
