//! The workflow that a template brings, acted out: from a commit to green, as GitHub's runner does it, with nothing of this machine but
//! Node, Git and the network.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::emu::EMU;

/// A runner: an empty home, a workspace, and what every step sees.
struct Runner {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Runner {
    fn new() -> Runner {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("home");
        for place in ["home", "temp"] {
            std::fs::create_dir(folder.path().join(place)).expect("made");
        }
        let text = |path: PathBuf| path.display().to_string();
        let node = which("node").parent().map(|folder| folder.display().to_string()).expect("node is in a folder");
        let mut environment = vec![
            ("PATH".to_owned(), format!("{}:{node}:/usr/local/bin:/usr/bin:/bin", text(home.join(".cargo/bin")))),
            ("HOME".to_owned(), text(home)),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("CI".to_owned(), "true".to_owned()),
            ("GITHUB_ACTIONS".to_owned(), "true".to_owned()),
            ("GITHUB_WORKSPACE".to_owned(), text(folder.path().join("workspace"))),
            ("RUNNER_OS".to_owned(), "Linux".to_owned()),
            ("RUNNER_ARCH".to_owned(), "X64".to_owned()),
            ("RUNNER_TEMP".to_owned(), text(folder.path().join("temp"))),
            // What `cache: npm` of actions/setup-node restores.
            ("npm_config_cache".to_owned(), npm_cache()),
            ("npm_config_prefer_offline".to_owned(), "true".to_owned()),
        ];
        // A runner's network is its own; so is this machine's.
        let network = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "NPM_CONFIG_REGISTRY"];
        let names = network.iter().flat_map(|name| [(*name).to_owned(), name.to_ascii_lowercase()]);
        environment.extend(names.filter_map(|name| std::env::var(&name).ok().map(|value| (name, value))));
        Runner { folder, environment }
    }

    fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }

    /// A step's script, as the runner has it run where no shell is named.
    fn script(&self, script: &str, job: &[(String, String)]) -> Output {
        let file = self.folder.path().join("temp/step.sh");
        std::fs::write(&file, script).expect("written");
        let mut bash = self.command("bash");
        bash.arg("-e").arg(&file).current_dir(self.workspace()).envs(job.iter().map(|(name, value)| (name, value)));
        bash.output().expect("bash runs")
    }

    /// Puts the program where actions/cache restores it to.
    fn restore(&self, path: &str) {
        let path = path.replacen('~', &self.folder.path().join("home").display().to_string(), 1);
        std::fs::create_dir_all(Path::new(&path).parent().expect("it is in a folder")).expect("made");
        std::os::unix::fs::symlink(EMU, path).expect("linked");
    }
}

fn which(program: &str) -> PathBuf {
    let output = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().expect("sh runs");
    let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert!(!found.is_empty(), "{program} is needed");
    found.into()
}

fn npm_cache() -> String {
    let output = Command::new("npm").args(["config", "get", "cache"]).output().expect("npm runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A repository with a project of a template, committed.
fn repository(at: &Path, template: &str) {
    let init = Command::new(EMU).args(["init", "--template", template, "--yes"]).arg(at).stdin(Stdio::null()).output().expect("emu runs");
    assert!(init.status.success(), "{}", said(&init));
    for arguments in [&["add", "--all"][..], &["commit", "--quiet", "--message", "Begin"]] {
        let git = Command::new("git")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(at)
            .output()
            .expect("git runs");
        assert!(git.status.success(), "{arguments:?}: {}", said(&git));
    }
}

/// The scripts of a job's steps, done in order; answers each script with what it said. Panics where a step fails that must not.
fn act(runner: &Runner, origin: &Path, workflow: &Value) -> Vec<(String, String)> {
    let jobs = workflow["jobs"].as_object().expect("jobs");
    let (_, job) = jobs.iter().next().expect("a job");
    // Variables of the repository that nobody has set.
    let value = |value: &Value| value.as_str().filter(|text| !text.contains("${{")).unwrap_or_default().to_owned();
    let environment: Vec<(String, String)> =
        job["env"].as_object().into_iter().flatten().map(|(name, text)| (name.clone(), value(text))).collect();
    let (mut hit, mut done) = (None, Vec::new());
    for step in job["steps"].as_array().expect("steps") {
        if let Some(condition) = step["if"].as_str() {
            let id = hit.as_ref().expect("a cache was asked for before");
            assert_eq!(condition, format!("steps.{id}.outputs.cache-hit != 'true'"), "this runner knows one condition");
            continue;
        }
        let action = step["uses"].as_str().map(|action| action.split('@').next().unwrap_or(action));
        match action {
            Some("actions/checkout") => {
                let clone =
                    runner.command("git").args(["clone", "--quiet"]).arg(origin).arg(runner.workspace()).output().expect("git runs");
                assert!(clone.status.success(), "{}", said(&clone));
            }
            Some("actions/setup-node") => {
                let version = runner.command("node").arg("--version").output().expect("node runs");
                assert!(step["with"]["node-version"].is_u64(), "the workflow says which Node: {step:?}");
                // This runner has one, the machine's; the project says in `engines` which will do.
                let there = said(&version).trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u64>().ok());
                assert!(there >= Some(20), "{there:?} is older than Node 20");
            }
            Some("actions/cache") => {
                runner.restore(step["with"]["path"].as_str().expect("a path"));
                hit = step["id"].as_str().map(str::to_owned);
            }
            Some(other) => panic!("this runner does not know {other}"),
            None => {
                let script = step["run"].as_str().expect("a step runs something");
                let output = runner.script(script, &environment);
                assert!(output.status.success(), "{script}: {:?}\n{}", output.status, said(&output));
                done.push((script.to_owned(), said(&output)));
            }
        }
    }
    done
}

#[test]
fn a_commit_of_a_new_project_becomes_green_and_a_broken_one_red_at_its_line() {
    let (runner, origin) = (Runner::new(), tempfile::tempdir().expect("a folder"));
    let origin = origin.path().join("api");
    repository(&origin, "api-ts");
    let text = std::fs::read_to_string(origin.join(".github/workflows/test.yml")).expect("a workflow");
    let workflow: Value = serde_yaml::from_str(&text).expect("YAML");
    let done = act(&runner, &origin, &workflow);
    let scripts: Vec<&str> = done.iter().map(|(script, _)| script.as_str()).collect();
    assert_eq!(scripts.iter().filter(|script| script.contains("emu ")).count(), 2, "{scripts:?}");
    let (tests, said_last) = done.last().expect("steps ran");
    assert!(tests.starts_with("emu exec ") && said_last.contains("emu exec passed"), "{tests}: {said_last}");
    assert!(!done.iter().any(|(_, said)| said.contains("::error")), "nothing is annotated: {done:#?}");
    let status = runner.command("git").args(["status", "--porcelain"]).current_dir(runner.workspace()).output().expect("git runs");
    assert_eq!(said(&status), "", "the run leaves nothing that could be committed");
    // Somebody breaks it.
    let file = runner.workspace().join("src/functions/tasks.ts");
    let source = std::fs::read_to_string(&file).expect("the function");
    std::fs::write(&file, format!("{source}\nthrow new Error('broken on purpose');\n")).expect("written");
    let red = runner.script(tests, &[]);
    assert!(!red.status.success(), "{}", said(&red));
    let annotated = said(&red).lines().any(|line| line.starts_with("::error file=src/functions/tasks.ts,line="));
    assert!(annotated, "{}", said(&red));
}
