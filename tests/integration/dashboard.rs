//! The dashboard of the real program, in a real terminal (tmux): what a developer sees and does, and how the terminal is left.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::emu::{EMU, copy};

/// A terminal of its own, gone when dropped.
struct Terminal {
    socket: PathBuf,
    folder: tempfile::TempDir,
}

impl Terminal {
    /// Starts emu in the shop, and a shell that says how it ended. `None` where there is no tmux.
    fn start(width: u16, height: u16, environment: &[(&str, &str)]) -> Option<Terminal> {
        if Command::new("tmux").arg("-V").stdout(Stdio::null()).status().is_err() {
            eprintln!("skipped: there is no tmux; `make tools` installs it");
            return None;
        }
        assert!(Path::new("fixtures/shop/node_modules").exists(), "run `make fixtures` first: fixtures/shop has no node_modules");
        Terminal::of(copy("shop"), "", (width, height), environment)
    }

    /// Starts emu in a project, with more arguments.
    fn of(folder: tempfile::TempDir, arguments: &str, (width, height): (u16, u16), environment: &[(&str, &str)]) -> Option<Terminal> {
        if Command::new("tmux").arg("-V").stdout(Stdio::null()).status().is_err() {
            eprintln!("skipped: there is no tmux; `make tools` installs it");
            return None;
        }
        let socket = folder.path().join("tmux.socket");
        let pid = folder.path().join("pid");
        // `stty` tells what is left of the terminal's settings.
        let script = format!(
            "sh -c 'echo $$ > {}; exec {EMU} start --ports http=0,aws=0,admin=0 {arguments} --project {}'; echo \"ended $?\"; stty -a | tr ' ;' '\\n\\n' | grep -e icanon -e '^-*echo$' | tr '\\n' ' '; exec sleep 600",
            pid.display(),
            folder.path().display()
        );
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&socket).args(["-f", "/dev/null", "new-session", "-d"]);
        command.args(["-x", &width.to_string(), "-y", &height.to_string()]);
        for (name, value) in environment {
            command.args(["-e", &format!("{name}={value}")]);
        }
        assert!(command.arg(script).env("LC_ALL", "C.UTF-8").status().expect("tmux runs").success());
        Some(Terminal { socket, folder })
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").arg("-u").arg("-S").arg(&self.socket).args(arguments).output().expect("tmux runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen is as it should be; panics with the screen after a minute.
    fn until(&self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if fits(&screen) {
                return screen;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "the screen never showed {what}:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn shows(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    fn press(&self, keys: &[&str]) {
        for key in keys {
            self.tmux(&["send-keys", key]);
        }
    }

    fn type_in(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    /// What emu left: it is out of the alternate screen, the mouse and the cursor are the terminal's own, lines are edited and echoed.
    fn is_restored(&self) {
        let screen = self.until("how emu ended, and `stty`", |screen| screen.contains("ended ") && screen.contains("echo"));
        assert!(screen.contains("ended 0"), "{screen}");
        assert!(screen.contains("icanon") && !screen.contains("-icanon") && !screen.contains("-echo"), "{screen}");
        assert_eq!(self.tmux(&["display", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"]).trim(), "0 0 1");
    }

    fn pid(&self) -> i32 {
        std::fs::read_to_string(self.folder.path().join("pid")).expect("it was written").trim().parse().expect("a number")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// The address behind a name on the overview.
fn address(screen: &str, name: &str) -> String {
    let row = screen.lines().find(|row| row.contains(&format!("│{name} "))).unwrap_or_else(|| panic!("no {name}:\n{screen}"));
    row.split_whitespace().find(|word| word.starts_with("http://")).expect("an address").to_owned()
}

fn curl(arguments: &[&str]) -> serde_json::Value {
    let output = Command::new("curl").args(["-s", "--max-time", "60"]).args(arguments).output().expect("curl runs");
    serde_json::from_slice(&output.stdout).unwrap_or(serde_json::Value::Null)
}

/// Becomes a customer, as a browser would; answers the token.
fn sign_up(http: &str, aws: &str) -> String {
    let person = r#"{"email":"ada@example.com","name":"Ada","password":"correct horse"}"#;
    let json = ["-H", "content-type: application/json", "-d", person];
    curl(&[&json[..], &[&format!("{http}/register")]].concat());
    let mails = curl(&[&format!("{aws}/_aws/ses")]);
    let mail = mails["messages"][0]["Body"]["text_part"].as_str().expect("a mail").to_owned();
    let link = mail.split_whitespace().find_map(|word| word.find("/verify?token=").map(|at| &word[at..])).expect("a link");
    curl(&[&format!("{http}{link}")]);
    curl(&[&json[..], &[&format!("{http}/login")]].concat())["token"].as_str().expect("a token").to_owned()
}

#[test]
fn a_developer_sees_a_trace_runs_it_again_edits_an_item_and_quits() {
    let Some(terminal) = Terminal::start(120, 36, &[("EDITOR", "sed -i s/9[0-9]/77/")]) else { return };
    let overview = terminal.shows("HTTP API");
    assert!(overview.contains("No invocation yet"), "{overview}");
    let (http, aws, admin) = (address(&overview, "HTTP API"), address(&overview, "AWS"), address(&overview, "admin"));
    let authorization = format!("authorization: Bearer {}", sign_up(&http, &aws));
    let order = r#"{"items":[{"productId":"mug","quantity":1}],"payment":"visa"}"#;
    let placed = curl(&["-H", "content-type: application/json", "-H", &authorization, "-d", order, &format!("{http}/orders")]);
    curl(&["-X", "POST", &format!("{admin}/emu/v1/idle")]);
    terminal.until("the calls", |screen| screen.contains("createOrder") && !screen.contains("No invocation yet"));

    terminal.press(&["2"]);
    terminal.shows("following");
    terminal.press(&["/"]);
    // What the worker gets names the function that sent it, but not the route.
    terminal.type_in("post /orders");
    terminal.press(&["Enter"]);
    terminal.until("one invocation", |screen| screen.contains("1 · “post /orders”"));
    terminal.press(&["Enter"]);
    let trace = terminal.until("the waterfall", |screen| screen.contains("Trace ") && screen.contains("payOrders"));
    for wanted in ["POST /orders 20", "└ createOrder", "━━", "█", " ms"] {
        assert!(trace.contains(wanted), "{wanted} of {placed}:\n{trace}");
    }
    terminal.press(&["r"]);
    terminal.shows("createOrder ran again");

    terminal.press(&["3"]);
    for table in ["images", "orders", "products"] {
        terminal.shows(&format!("table shop-dev-{table}"));
        terminal.press(if table == "products" { &[] } else { &["Down"] });
    }
    terminal.press(&["Enter", "/"]);
    terminal.type_in("mug");
    terminal.press(&["Enter"]);
    terminal.until("the mug alone", |screen| screen.contains("Mug") && !screen.contains("T-shirt"));
    // There were a hundred before the order.
    terminal.press(&["Enter"]);
    terminal.shows("\"stock\": 9");
    terminal.press(&["e"]);
    terminal.shows("\"stock\": 77");

    terminal.tmux(&["resize-window", "-x", "80", "-y", "24"]);
    terminal.until("a picture of the new size", |screen| {
        let rows: Vec<&str> = screen.lines().collect();
        rows.len() == 24 && rows[1].chars().count() == 80 && rows[1].ends_with('╮') && rows[22].ends_with('╯')
    });
    terminal.press(&["?"]);
    terminal.shows("everywhere");
    terminal.press(&["q"]);
    terminal.press(&["q"]);
    terminal.is_restored();
}

#[test]
fn a_signal_ends_the_dashboard_and_leaves_the_terminal_as_it_was() {
    let Some(terminal) = Terminal::start(80, 24, &[("NO_COLOR", "1")]) else { return };
    terminal.shows("HTTP API");
    let colours = terminal.tmux(&["capture-pane", "-p", "-e"]);
    assert!(!(0..8).any(|colour| colours.contains(&format!("\u{1b}[3{colour}m"))), "NO_COLOR is not kept: {colours:?}");
    // SAFETY: `kill` has no preconditions; emu runs, as its screen shows.
    unsafe { libc::kill(terminal.pid(), libc::SIGTERM) };
    terminal.is_restored();
}

#[test]
fn what_a_failed_run_left_is_on_the_dashboard() {
    let (project, folder) = (copy("exec"), tempfile::tempdir().expect("a folder"));
    let bundle = folder.path().join("post-mortem").display().to_string();
    let script = project.path().join("call.mjs").display().to_string();
    let mut command = Command::new(EMU);
    command.arg("exec").arg("--project").arg(project.path()).args([
        "--export-on-fail",
        &bundle,
        "--",
        "node",
        &script,
        "get:/fails",
        "exit:1",
    ]);
    let output = command.stdin(Stdio::null()).output().expect("emu runs");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let Some(terminal) = Terminal::of(project, &format!("--import {bundle}"), (140, 40), &[]) else { return };
    terminal.shows("Invocations");
    terminal.press(&["2"]);
    terminal.until("the invocation that failed before", |screen| screen.contains("fails") && screen.contains("GET /fails"));
    terminal.press(&["q"]);
    terminal.shows("ended 0");
}
