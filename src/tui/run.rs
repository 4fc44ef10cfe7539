//! The dashboard's loop. It sleeps until something happens, draws thirty times a second at most, and only what has changed; records are
//! taken in batches between two pictures, so that ten thousand a second wake it no oftener than one.

use std::io;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::command::{Command, Message};
use super::editor::Draft;
use super::money::Prices;
use super::screen::{Screen, restore};
use super::state::{Effect, Purpose, State};
use super::view::{self, Drawn, Theme};
use crate::base::Time;
use crate::telemetry::{Level, Problem, Record, Subscriber};

/// Between two pictures.
const FRAME: Duration = Duration::from_millis(33);
/// The same while more than [`FLOOD`] records come between two pictures: nobody can read what goes by so fast, and the work comes first.
const FLOOD_FRAME: Duration = Duration::from_millis(132);
const FLOOD: usize = 64;
/// Where drawing takes long (a large window on a busy machine), so many times as long passes until the next picture: what is looked at
/// must not slow what is worked on.
const PAUSES: u32 = 12;
/// Between two looks at the time, while something moves.
const TICK: Duration = Duration::from_secs(1);
/// Records that are taken in before keys are looked at again.
const BATCH: usize = 4_096;

/// What the dashboard lives on.
pub struct Sources {
    pub records: Subscriber,
    pub messages: mpsc::Receiver<Message>,
    pub commands: mpsc::Sender<Command>,
    /// Lines that would have been printed where the dashboard is now; they are shown as problems.
    pub notes: mpsc::Receiver<String>,
    /// A way to tell of what goes wrong in other threads: the other end of `notes`.
    pub tell: mpsc::Sender<String>,
    /// How many records were missed so far.
    pub dropped: Box<dyn Fn() -> u64 + Send>,
    pub prices: Box<dyn Prices>,
    /// Whether colours are wanted.
    pub colours: bool,
    /// Ends the dashboard from outside.
    pub stop: CancellationToken,
}

/// Why the dashboard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The person wants to stop.
    Asked,
    /// It was told to by [`Sources::stop`].
    Stopped,
    /// The terminal is gone.
    Gone,
}

/// Shows the dashboard until it ends; then the terminal is as it was, after a panic of this thread too.
pub async fn run(state: State, sources: Sources) -> io::Result<Ended> {
    let _hook = Hook::set(sources.tell.clone());
    let mut dashboard = Dashboard {
        screen: Screen::take()?,
        drawn: Drawn::default(),
        theme: Theme { colours: sources.colours },
        state,
        sources,
        drafts: 0,
        drawn_at: Instant::now(),
        taken: 0,
        next_frame: Instant::now(),
        next_tick: Instant::now(),
        dirty: true,
    };
    let ended = dashboard.show().await;
    dashboard.screen.leave()?;
    ended
}

struct Dashboard {
    state: State,
    sources: Sources,
    screen: Screen<io::Stdout>,
    drawn: Drawn,
    theme: Theme,
    /// How many texts were edited.
    drafts: u32,
    /// When the picture was drawn that is shown.
    drawn_at: Instant,
    /// Records that have come since then.
    taken: usize,
    next_frame: Instant,
    next_tick: Instant,
    dirty: bool,
}

impl Dashboard {
    async fn show(&mut self) -> io::Result<Ended> {
        let mut events = EventStream::new();
        loop {
            let now = Instant::now();
            if now >= self.next_tick {
                self.next_tick = now + TICK;
                let effects = self.state.tick(machine_time());
                self.send_all(effects);
            }
            if self.dirty && now >= self.next_frame {
                self.draw()?;
            }
            let listening = Instant::now() >= self.next_frame;
            let effects = tokio::select! {
                biased;
                () = self.sources.stop.cancelled() => return Ok(Ended::Stopped),
                event = events.next() => match event {
                    Some(Ok(event)) => self.input(&event),
                    Some(Err(_)) | None => return Ok(Ended::Gone),
                },
                Some(message) = self.sources.messages.recv() => {
                    self.dirty = true;
                    self.state.hear(message)
                }
                Some(note) = self.sources.notes.recv() => {
                    self.note(note);
                    Vec::new()
                }
                record = self.sources.records.next(), if listening => match record {
                    Some(record) => {
                        self.take(record);
                        Vec::new()
                    }
                    None => return Ok(Ended::Stopped),
                },
                () = sleep_until(self.next_frame), if !listening => Vec::new(),
                () = sleep_until(self.next_tick), if self.state.is_moving() => {
                    self.dirty = true;
                    Vec::new()
                }
            };
            for effect in effects {
                match effect {
                    Effect::Quit => return Ok(Ended::Asked),
                    Effect::Edit { text, purpose } => {
                        // An editor reads the keys; so nobody else may.
                        drop(events);
                        let edited = self.edit(&text).await?;
                        events = EventStream::new();
                        self.finish_edit(purpose, edited);
                    }
                    other => self.do_one(other)?,
                }
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let began = Instant::now();
        self.state.dropped = (self.sources.dropped)();
        let (state, theme, prices) = (&self.state, self.theme, &*self.sources.prices);
        self.drawn = self.screen.draw(|buffer| view::draw(state, theme, prices, buffer))?;
        self.state.page = self.drawn.page;
        self.dirty = false;
        let frame = if self.taken > FLOOD { FLOOD_FRAME } else { FRAME };
        (self.drawn_at, self.taken) = (began, 0);
        self.next_frame = began + frame.max(began.elapsed() * PAUSES);
        Ok(())
    }

    fn input(&mut self, event: &Event) -> Vec<Effect> {
        self.dirty = true;
        // Who presses a key sees at once what it does, however much goes by.
        self.next_frame = self.next_frame.min(self.drawn_at + FRAME);
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.state.press(key),
            Event::Mouse(mouse) => match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => match self.drawn.hit(mouse.column, mouse.row) {
                    Some(hit) => self.state.click(hit),
                    None => Vec::new(),
                },
                MouseEventKind::ScrollDown => self.state.wheel(true),
                MouseEventKind::ScrollUp => self.state.wheel(false),
                _ => {
                    self.dirty = false;
                    Vec::new()
                }
            },
            // The next picture has the new size.
            _ => Vec::new(),
        }
    }

    /// Takes in a record and those that wait behind it.
    fn take(&mut self, record: Arc<Record>) {
        self.state.apply(record);
        self.taken += 1;
        for _ in 1..BATCH {
            match self.sources.records.next().now_or_never() {
                Some(Some(record)) => {
                    self.state.apply(record);
                    self.taken += 1;
                }
                _ => break,
            }
        }
        self.dirty = true;
    }

    fn note(&mut self, note: String) {
        let (level, message) = said(&note);
        let problem = Problem { at: machine_time(), level, message, help: None, place: None, frame: None };
        self.state.apply(Arc::new(Record::Problem(problem)));
        self.dirty = true;
    }

    fn send_all(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Send(command) = effect {
                self.send(command);
            }
        }
    }

    fn send(&mut self, command: Command) {
        if self.sources.commands.try_send(command).is_err() {
            self.state.say("emu is busy with what was asked before; try again in a moment", true);
        }
    }

    fn do_one(&mut self, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::Send(command) => self.send(command),
            Effect::Copy(text) => {
                if !self.screen.copy(&text)? {
                    self.state.say("it is too long for a terminal's clipboard", true);
                }
            }
            Effect::Quit | Effect::Edit { .. } => {}
        }
        Ok(())
    }

    /// Gives the terminal to an editor until it ends; records are taken in meanwhile. An error that concerns only the text is inside.
    async fn edit(&mut self, text: &str) -> io::Result<io::Result<Option<String>>> {
        self.drafts += 1;
        let name = format!("{}-{}", std::process::id(), self.drafts);
        let draft = match Draft::new(&std::env::temp_dir(), &name, text) {
            Ok(draft) => draft,
            Err(error) => return Ok(Err(error)),
        };
        self.screen.leave()?;
        let status = match draft.open() {
            Ok(mut editor) => self.wait_for(&mut editor).await,
            Err(error) => Err(error),
        };
        self.screen.retake()?;
        self.dirty = true;
        Ok(match status {
            Ok(status) if status.success() => draft.read(),
            Ok(status) => Err(io::Error::other(format!("the editor ended with {status}"))),
            Err(error) => Err(error),
        })
    }

    async fn wait_for(&mut self, editor: &mut tokio::process::Child) -> io::Result<std::process::ExitStatus> {
        loop {
            tokio::select! {
                status = editor.wait() => return status,
                () = self.sources.stop.cancelled() => {
                    editor.start_kill()?;
                    return editor.wait().await;
                }
                Some(record) = self.sources.records.next() => {
                    self.take(record);
                    tokio::time::sleep(FRAME).await;
                }
            }
        }
    }

    fn finish_edit(&mut self, purpose: Purpose, edited: io::Result<Option<String>>) {
        match edited {
            Ok(text) => {
                let effects = self.state.edited(purpose, text);
                self.send_all(effects);
            }
            Err(error) => self.state.say(format!("nothing was done: {error}; set EDITOR to your editor"), true),
        }
    }
}

/// What a line of emu's own log says, and how grave it is: `WARN the disk is full`.
fn said(line: &str) -> (Level, String) {
    let line = line.trim();
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let level = match word {
        "ERROR" => Level::Error,
        "WARN" => Level::Warn,
        "INFO" => Level::Info,
        "DEBUG" => Level::Debug,
        "TRACE" => Level::Trace,
        _ => return (if line.contains("panicked") { Level::Error } else { Level::Warn }, line.to_owned()),
    };
    (level, rest.trim_start().to_owned())
}

/// The machine's time.
fn machine_time() -> Time {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Time(i64::try_from(millis).unwrap_or(i64::MAX))
}

type PanicHook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// While it lives, a panic of this thread gives the terminal back before it is told; one of another thread becomes a note.
struct Hook(Arc<PanicHook>);

impl Hook {
    fn set(tell: mpsc::Sender<String>) -> Hook {
        let before: Arc<PanicHook> = Arc::new(std::panic::take_hook());
        let (own, usual) = (std::thread::current().id(), Arc::clone(&before));
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == own {
                restore();
                usual(info);
            } else {
                // Where there are too many already, one more tells nothing new.
                let _ = tell.try_send(format!("emu itself panicked, please report it: {}", info.to_string().replace('\n', " ")));
            }
        }));
        Hook(before)
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // A thread that panics may not change the hook; the process ends then.
        if !std::thread::panicking() {
            let before = Arc::clone(&self.0);
            std::panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_becomes_a_problem_of_its_level() {
        for (line, level, message) in [
            (
                " WARN 1 of 1 messages come back: no luck function=worker\n",
                Level::Warn,
                "1 of 1 messages come back: no luck function=worker",
            ),
            ("ERROR the disk is full\n", Level::Error, "the disk is full"),
            (" INFO tried again later", Level::Info, "tried again later"),
            ("emu itself panicked, please report it: x", Level::Error, "emu itself panicked, please report it: x"),
            ("something else", Level::Warn, "something else"),
            ("", Level::Warn, ""),
        ] {
            assert_eq!(said(line), (level, message.to_owned()), "{line}");
        }
    }
}
