//! Dependencies that are evaluated once, for several functions and several runs.

use super::*;

#[tokio::test]
async fn stable_modules_are_evaluated_once_for_all_who_share_them() {
    let vendor = Module::dependencies("vendor/deps.mjs", "console.log('vendor evaluated'); export const table = { n: 41 };");
    let world = Arc::new(World::default());
    let made = |body: &str| {
        let mut bundle = bundle(&format!("import {{ table }} from './vendor/deps.mjs'; {body}"));
        bundle.modules.insert(0, vendor.clone());
        bundle
    };
    let one = sandbox().load(made("export const handler = async () => table.n + 1"), world.clone()).await.expect("it loads");
    let two = sandbox().load(made("export const handler = async () => table.n + 2"), world.clone()).await.expect("it loads");
    assert_eq!(call(&one, json!({})).await, Ok(json!(42)));
    assert_eq!(call(&two, json!({})).await, Ok(json!(43)));
    let evaluated = world.lines.lock().expect("whole").iter().filter(|(_, text)| text.contains("vendor evaluated")).count();
    assert_eq!(evaluated, 1);
}

/// A bundle with dependencies of this code, whose handler gives `body`.
pub(super) fn with_dependencies(name: &str, environment: &[(&str, &str)], dependencies: &str, body: &str) -> Bundle {
    let vendor = Module::dependencies("vendor.mjs", dependencies);
    let mut bundle = bundle(&format!("import * as deps from './vendor.mjs'; export const {name} = async () => {body}"));
    bundle.modules.insert(0, vendor);
    bundle.name = name.into();
    bundle.export = name.into();
    bundle.environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    bundle
}

#[tokio::test]
async fn dependencies_are_evaluated_anew_only_for_other_values_of_the_variables_they_read() {
    let world = Arc::new(World::default());
    let code = "console.log('evaluated'); export const mode = process.env.MODE ?? 'none'; export const env = process.env;";
    let body = "[deps.mode, deps.env === process.env, deps.env.MODE ?? null, deps.env.OTHER, Object.keys(process.env)]";
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Value, usize);
    let cases: [Case<'_>; 5] = [
        ("one", &[("OTHER", "1")], json!(["none", true, null, "1", ["OTHER"]]), 1),
        ("two", &[("OTHER", "2")], json!(["none", true, null, "2", ["OTHER"]]), 1),
        ("three", &[("MODE", "a"), ("OTHER", "3")], json!(["a", true, "a", "3", ["MODE", "OTHER"]]), 2),
        ("four", &[("MODE", "a"), ("OTHER", "4")], json!(["a", true, "a", "4", ["MODE", "OTHER"]]), 2),
        ("five", &[("MODE", "b"), ("OTHER", "5")], json!(["b", true, "b", "5", ["MODE", "OTHER"]]), 3),
    ];
    for (name, environment, expected, evaluations) in cases {
        let image = sandbox().load(with_dependencies(name, environment, code, body), world.clone()).await.expect("it loads");
        assert_eq!(call(&image, json!({})).await, Ok(expected), "{name}");
        let evaluated = world.lines.lock().expect("whole").iter().filter(|(_, text)| text == "evaluated").count();
        assert_eq!(evaluated, evaluations, "{name}");
    }
}

#[tokio::test]
async fn dependencies_that_look_at_the_whole_environment_or_change_it_do_so_for_each_function() {
    let code = "export const all = JSON.stringify({ ...process.env }); process.env.SET = 'by a dependency'; delete process.env.GONE; export const has = ['A' in process.env, 'GONE' in process.env];";
    let body = "[JSON.parse(deps.all), deps.has, { ...process.env }]";
    for (name, environment) in
        [("one", [("A", "1"), ("GONE", "x")]), ("two", [("A", "2"), ("GONE", "x")]), ("three", [("B", "1"), ("SET", "y")])]
    {
        let bundle = with_dependencies(name, &environment, code, body);
        let image = sandbox().load(bundle, Arc::new(World::default())).await.expect("it loads");
        let [(first, value), (second, other)] = environment;
        let kept = if second == "GONE" {
            json!({ first: value, "SET": "by a dependency" })
        } else {
            json!({ "SET": "by a dependency", first: value })
        };
        let expected = json!([{ first: value, second: other }, [first == "A", false], kept]);
        assert_eq!(call(&image, json!({})).await, Ok(expected), "{name}");
    }
}

/// The sandbox's layers of dependencies on disk.
pub(super) fn layer_files(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(dir).expect("the cache").flatten().map(|file| file.path());
    files.filter(|path| path.extension().is_some_and(|e| e == "cwasm") && path.to_string_lossy().contains("layer-")).collect()
}

#[tokio::test]
async fn evaluated_dependencies_outlive_the_process_without_what_is_the_projects() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = || Sandbox::new(Options { sandboxes_max: 4, ..Options::new(dir.path()) }).expect("the sandbox starts");
    // Without a layer's own evaluation the counter would be drawn anew: the file alone can bring it back.
    let code = "export const debug = process.env.DEBUG ?? 'off'; export const made = ['a', 'layer'].join(' of ');";
    let body = "[deps.debug, deps.made, process.env.SECRET]";
    let load = |sandbox: Sandbox, environment: &'static [(&'static str, &'static str)]| async move {
        let bundle = with_dependencies("handler", environment, code, body);
        let image = sandbox.load(bundle, Arc::new(World::default())).await.expect("it loads");
        call(&image, json!({})).await
    };
    assert_eq!(load(start(), &[("DEBUG", "on"), ("SECRET", "s3cr3t-1")]).await, Ok(json!(["on", "a of layer", "s3cr3t-1"])));
    assert_eq!(layer_files(dir.path()), Vec::<std::path::PathBuf>::new(), "what was told a variable stays in memory");
    assert_eq!(load(start(), &[("SECRET", "s3cr3t-2")]).await, Ok(json!(["off", "a of layer", "s3cr3t-2"])));
    let deadline = Instant::now() + Duration::from_secs(10);
    while layer_files(dir.path()).is_empty() || !layer_files(dir.path())[0].with_extension("note").is_file() {
        assert!(Instant::now() < deadline, "no layer was kept");
        tokio::task::yield_now().await;
    }
    let file = layer_files(dir.path()).remove(0);
    let content = std::fs::read(&file).expect("the layer");
    let holds = |text: &str| content.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("a of layer") && !holds("s3cr3t") && !holds("deps.debug"), "the file holds the dependencies and no more");
    for (environment, expected) in [
        (&[("SECRET", "3")][..], json!(["off", "a of layer", "3"])),
        (&[("DEBUG", "on"), ("SECRET", "4")][..], json!(["on", "a of layer", "4"])),
    ] {
        assert_eq!(load(start(), environment).await, Ok(expected));
    }
    let length = std::fs::metadata(&file).expect("the layer").len();
    std::fs::File::options().write(true).open(&file).and_then(|file| file.set_len(length / 2)).expect("cut");
    assert_eq!(load(start(), &[("SECRET", "5")]).await, Ok(json!(["off", "a of layer", "5"])));
}

#[tokio::test]
async fn a_damaged_cache_is_made_anew() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = || Options { sandboxes_max: 4, ..Options::new(dir.path()) };
    drop(Sandbox::new(options()).expect("the sandbox starts"));
    let mut damaged = 0;
    for file in std::fs::read_dir(dir.path()).expect("the cache").flatten() {
        if file.path().extension().is_some_and(|extension| extension == "cwasm") {
            let mut content = std::fs::read(file.path()).expect("the file");
            let middle = content.len() / 2;
            content[middle] ^= 0xff;
            std::fs::write(file.path(), content).expect("written");
            damaged += 1;
        }
    }
    assert_eq!(damaged, 2);
    let sandbox = Sandbox::new(options()).expect("the sandbox starts");
    let image = sandbox.load(bundle("export const handler = async () => 1"), Arc::new(World::default())).await.expect("it loads");
    assert_eq!(call(&image, json!({})).await, Ok(json!(1)));
}
