//! What keys and clicks do.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::data::Focus;
use super::filter::Kept;
use super::{By, Detail, Effect, Filter, Hit, Overlay, Part, Purpose, Screen, State, curl};
use crate::base::Cause;
use crate::telemetry::{Invocation, Level, Record};
use crate::tui::command::Command;
use crate::tui::input::{Action, Step, action};
use crate::tui::text;

/// Characters of a search.
const SEARCH_MAX: usize = 200;
/// Rows that a turn of the wheel moves.
const WHEEL: isize = 3;

impl State {
    /// A key was pressed.
    pub fn press(&mut self, event: &KeyEvent) -> Vec<Effect> {
        match &mut self.overlay {
            Some(Overlay::Help { scroll }) => {
                match event.code {
                    KeyCode::Down | KeyCode::Char('j') => *scroll += 1,
                    KeyCode::Up | KeyCode::Char('k') => *scroll = scroll.saturating_sub(1),
                    _ => self.overlay = None,
                }
                return Vec::new();
            }
            Some(Overlay::Confirm { .. }) => return self.answer(event.code == KeyCode::Char('y')),
            None => {}
        }
        if self.typing.is_some() {
            return self.type_in(event);
        }
        action(self.scope(), event).map_or_else(Vec::new, |action| self.act(action))
    }

    fn answer(&mut self, yes: bool) -> Vec<Effect> {
        match self.overlay.take() {
            Some(Overlay::Confirm { command, .. }) if yes => {
                if matches!(command, Command::Delete { .. }) {
                    self.data.document = None;
                }
                vec![Effect::Send(command)]
            }
            _ => Vec::new(),
        }
    }

    /// Does what was asked for.
    pub fn act(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Quit => vec![Effect::Quit],
            Action::Help => {
                self.overlay = Some(Overlay::Help { scroll: 0 });
                Vec::new()
            }
            Action::Show(screen) => self.show(screen),
            Action::NextScreen => self.show(self.neighbour(1)),
            Action::PreviousScreen => self.show(self.neighbour(Screen::ALL.len() - 1)),
            Action::Back => self.back(),
            Action::Step(step) => self.step(step),
            Action::Left | Action::Right => self.aside(action == Action::Right),
            Action::Open => self.open(),
            Action::Search => {
                self.typing = Some(self.search_text().to_owned());
                Vec::new()
            }
            Action::Follow => {
                let feed = if self.screen == Screen::Logs { &mut self.logs } else { &mut self.invocations };
                feed.set_follow(!feed.follows());
                Vec::new()
            }
            Action::FilterOutcome => {
                self.invocation_filter.kept = match self.invocation_filter.kept {
                    Kept::All => Kept::Failed,
                    Kept::Failed => Kept::Cold,
                    Kept::Cold => Kept::All,
                };
                self.refilter()
            }
            Action::FilterFunction => self.next_function(),
            Action::Level => {
                self.log_filter.level = match self.log_filter.level {
                    Level::Trace => Level::Info,
                    Level::Debug | Level::Info => Level::Warn,
                    Level::Warn => Level::Error,
                    Level::Error => Level::Trace,
                };
                self.refilter()
            }
            Action::ScrollUp | Action::ScrollDown => {
                if let Some(detail) = &mut self.detail {
                    let by = if action == Action::ScrollUp { -(self.page as isize) / 2 } else { self.page as isize / 2 };
                    detail.scroll = detail.scroll.saturating_add_signed(by);
                }
                Vec::new()
            }
            Action::Rerun => self.rerun(),
            Action::EditAndRun => self.edit_and_run(),
            Action::Copy => self.copy(),
            Action::Provider => {
                self.costs.provider = (self.costs.provider + 1) % self.about.providers.max(1);
                Vec::new()
            }
            Action::FreeTier => {
                self.costs.free_tier = !self.costs.free_tier;
                Vec::new()
            }
            Action::Edit | Action::Delete | Action::Purge | Action::Fire | Action::Redrive | Action::Refresh => self.act_on_data(action),
        }
    }

    /// Whether what a key asks for can be done with what is selected.
    pub fn can(&self, action: Action) -> bool {
        let uses = self.data.selected_shelf().map(|shelf| shelf.uses).unwrap_or_default();
        match action {
            Action::Edit => uses.edit,
            Action::Delete => uses.delete,
            Action::Purge => uses.purge,
            Action::Fire => uses.fire,
            Action::Redrive => uses.redrive,
            _ => true,
        }
    }

    fn act_on_data(&mut self, action: Action) -> Vec<Effect> {
        let Some(shelf) = self.data.selected_shelf() else { return Vec::new() };
        let (id, uses) = (shelf.id.clone(), shelf.uses);
        let called = if id.name.is_empty() { id.kind.to_string() } else { format!("{} {}", id.kind, id.name) };
        let key = self.data.subject().map(|(_, key)| key.to_owned());
        let title = match (&self.data.document, self.data.selected_row()) {
            (Some(document), _) => document.title.clone(),
            (None, Some(row)) => row.cells.first().cloned().unwrap_or_default(),
            (None, None) => String::new(),
        };
        let confirm = |question: String, command| Some(Overlay::Confirm { question, command });
        match (action, key) {
            (Action::Refresh, _) => return self.look_again(),
            (Action::Purge, _) if uses.purge => {
                self.overlay = confirm(format!("Remove everything of {called}?"), Command::Purge { shelf: id });
            }
            (Action::Redrive, key) if uses.redrive => {
                let key = key.filter(|_| self.data.focus == Focus::Rows);
                return vec![Effect::Send(Command::Redrive { shelf: id, key })];
            }
            (Action::Delete, Some(key)) if uses.delete => {
                self.overlay = confirm(format!("Delete {title} of {called}?"), Command::Delete { shelf: id, key });
            }
            (Action::Fire, Some(key)) if uses.fire => return vec![Effect::Send(Command::Fire { schedule: key })],
            (Action::Edit, Some(key)) if uses.edit => {
                let purpose = Purpose::Put { shelf: id, key };
                return match &self.data.document {
                    Some(document) => match &document.edit {
                        Some(edit) => vec![self.edit(purpose, edit.clone())],
                        None => {
                            self.say("this cannot be edited as text", true);
                            Vec::new()
                        }
                    },
                    // It is looked at first: an editor is given all of it.
                    None => {
                        self.editing = true;
                        self.data.open().map(Effect::Send).into_iter().collect()
                    }
                };
            }
            (Action::Delete | Action::Fire | Action::Edit, None) => self.say("nothing is selected", true),
            _ => {
                let what = match action {
                    Action::Edit => "edited",
                    Action::Delete => "deleted one by one",
                    Action::Purge => "removed all at once",
                    Action::Fire => "fired",
                    Action::Redrive => "delivered again",
                    _ => "changed so",
                };
                self.say(format!("what {called} holds cannot be {what}"), true);
            }
        }
        Vec::new()
    }

    fn edit(&mut self, purpose: Purpose, text: String) -> Effect {
        let text = match self.draft.take() {
            Some((of, draft)) if of == purpose && matches!(purpose, Purpose::Invoke { .. }) => draft,
            _ => text,
        };
        Effect::Edit { text, purpose }
    }

    fn neighbour(&self, by: usize) -> Screen {
        let at = Screen::ALL.iter().position(|screen| *screen == self.screen).unwrap_or(0);
        Screen::ALL[(at + by) % Screen::ALL.len()]
    }

    fn show(&mut self, screen: Screen) -> Vec<Effect> {
        if screen == Screen::Invocations && self.screen == Screen::Invocations {
            self.detail = None;
        }
        self.screen = screen;
        if screen == Screen::Data { self.look_again() } else { Vec::new() }
    }

    fn back(&mut self) -> Vec<Effect> {
        match self.screen {
            Screen::Invocations if self.detail.is_some() => {
                if let Some(detail) = self.detail.take() {
                    self.screen = detail.from;
                }
                Vec::new()
            }
            Screen::Invocations if !self.invocation_filter.is_off() => {
                self.invocation_filter = Filter::default();
                self.refilter()
            }
            Screen::Logs if !self.log_filter.is_off() => {
                self.log_filter = Filter::default();
                self.refilter()
            }
            Screen::Data => {
                if !self.data.back() && !self.data.search.is_empty() {
                    return self.search_for("");
                }
                Vec::new()
            }
            Screen::Problems => self.search_for(""),
            _ => Vec::new(),
        }
    }

    fn step(&mut self, step: Step) -> Vec<Effect> {
        let by = match step {
            Step::Up => -1,
            Step::Down => 1,
            Step::PageUp => -(self.page.max(2) as isize - 1),
            Step::PageDown => self.page.max(2) as isize - 1,
            Step::First => isize::MIN / 2,
            Step::Last => isize::MAX / 2,
        };
        self.move_by(by)
    }

    fn move_by(&mut self, by: isize) -> Vec<Effect> {
        let moved = |at: usize, len: usize| at.saturating_add_signed(by).min(len.saturating_sub(1));
        match self.screen {
            Screen::Overview => {}
            Screen::Invocations if self.detail.is_some() => {
                self.move_bar(by);
                return self.want_source();
            }
            Screen::Invocations => self.invocations.step(by),
            Screen::Data if self.data.document.is_some() => self.data.scroll = self.data.scroll.saturating_add_signed(by),
            Screen::Data if self.data.focus == Focus::Rows => {
                self.data.row = moved(self.data.row, self.data.rows.as_ref().map_or(0, |rows| rows.rows.len()));
            }
            Screen::Data => {
                let shelf = moved(self.data.shelf, self.data.shelves.len());
                return self.data.select_shelf(shelf).map(Effect::Send).into_iter().collect();
            }
            Screen::Cost => self.costs.row = moved(self.costs.row, self.sums(self.costs.by).len()),
            Screen::Logs => self.logs.step(by),
            Screen::Problems => self.problems.row = moved(self.problems.row, self.problems.shown().len()),
        }
        Vec::new()
    }

    fn move_bar(&mut self, by: isize) {
        let Some(waterfall) = self.waterfall() else { return };
        let at = self.detail.as_ref().and_then(|detail| waterfall.bars.iter().position(|bar| bar.number == detail.number)).unwrap_or(0);
        let at = at.saturating_add_signed(by).min(waterfall.bars.len().saturating_sub(1));
        if let Some(bar) = waterfall.bars.get(at) {
            self.select_bar(bar.number);
        }
    }

    fn select_bar(&mut self, number: u64) {
        let parts = self.book.get(number).map_or(&[Part::Facts][..], |record| State::parts(record));
        if let Some(detail) = &mut self.detail
            && detail.number != number
        {
            (detail.number, detail.scroll) = (number, 0);
            if !parts.contains(&detail.part) {
                detail.part = parts[0];
            }
        }
    }

    fn aside(&mut self, right: bool) -> Vec<Effect> {
        let turn = |at: usize, len: usize| if right { (at + 1) % len } else { (at + len - 1) % len };
        match self.screen {
            Screen::Invocations => {
                let Some(detail) = &mut self.detail else { return Vec::new() };
                let parts = self.book.get(detail.number).map_or(&[Part::Facts][..], |record| State::parts(record));
                let at = parts.iter().position(|part| *part == detail.part).unwrap_or(0);
                (detail.part, detail.scroll) = (parts[turn(at, parts.len())], 0);
            }
            Screen::Data if !right => _ = self.data.back(),
            Screen::Cost => {
                let all = [By::Kind, By::Function, By::Service];
                let at = all.iter().position(|by| *by == self.costs.by).unwrap_or(0);
                (self.costs.by, self.costs.row) = (all[turn(at, all.len())], 0);
            }
            _ => {}
        }
        Vec::new()
    }

    fn open(&mut self) -> Vec<Effect> {
        match self.screen {
            Screen::Invocations => {
                if let Some(number) = self.invocations.selected() {
                    return self.open_trace(number);
                }
            }
            Screen::Logs => {
                let Some(Record::Log(log)) = self.logs.selected().and_then(|number| self.book.get(number)).map(|record| &**record) else {
                    return Vec::new();
                };
                let is_it = |record: &Record| matches!(record, Record::Invocation(i) if i.id == log.invocation);
                let found = self.book.trace(&log.trace).find(|(_, record)| is_it(record)).map(|(number, _)| number);
                match found {
                    Some(number) => return self.open_trace(number),
                    None => self.say("its invocation has not ended yet, or is forgotten", true),
                }
            }
            Screen::Data => match self.data.focus {
                Focus::Shelves => self.data.focus = Focus::Rows,
                Focus::Rows => return self.data.open().map(Effect::Send).into_iter().collect(),
            },
            _ => {}
        }
        Vec::new()
    }

    fn open_trace(&mut self, number: u64) -> Vec<Effect> {
        let Some(record) = self.book.get(number) else { return Vec::new() };
        let Some(trace) = record.trace().cloned() else { return Vec::new() };
        let part = State::parts(record)[0];
        self.detail = Some(Detail { trace, number, part, scroll: 0, from: self.screen });
        self.screen = Screen::Invocations;
        self.want_source()
    }

    /// The invocation that keys are about: the selected one, or the one that the selected bar belongs to.
    fn invocation(&self) -> Option<&Invocation> {
        let number = match &self.detail {
            Some(detail) => detail.number,
            None => self.invocations.selected()?,
        };
        let find = |trace, wanted: &dyn Fn(&Invocation) -> bool| {
            self.book.trace(trace).find_map(|(_, record)| match &**record {
                Record::Invocation(i) if wanted(i) => Some(i),
                _ => None,
            })
        };
        match &**self.book.get(number)? {
            Record::Invocation(i) => Some(i),
            Record::Operation(o) => find(&o.trace, &|i| matches!(&o.parent, Cause::Invocation(id) if *id == i.id)),
            Record::Request(r) => find(&r.trace, &|i| matches!(&i.parent, Cause::Request(id) if *id == r.id)),
            Record::Delivery(d) => find(&d.trace, &|i| matches!(&i.parent, Cause::Event(event) if Some(*event) == d.event)),
            _ => None,
        }
    }

    fn rerun(&mut self) -> Vec<Effect> {
        let Some(i) = self.invocation() else { return self.nothing_to_run() };
        if i.event.is_cut() {
            let whole = text::bytes(i.event.len());
            self.say(format!("the event of {whole} was not kept whole, so it cannot be sent again"), true);
            return Vec::new();
        }
        let (function, event) = (Arc::clone(&i.function), i.event.kept().clone());
        self.say(format!("running {function} again"), false);
        vec![Effect::Send(Command::Invoke { function, event })]
    }

    fn edit_and_run(&mut self) -> Vec<Effect> {
        let Some(i) = self.invocation() else { return self.nothing_to_run() };
        let (purpose, event) = (Purpose::Invoke { function: Arc::clone(&i.function) }, text::pretty(i.event.kept()));
        vec![self.edit(purpose, event)]
    }

    fn nothing_to_run(&mut self) -> Vec<Effect> {
        self.say("no invocation is selected", true);
        Vec::new()
    }

    fn copy(&mut self) -> Vec<Effect> {
        if self.screen == Screen::Data {
            let text = self.data.document.as_ref().map(|document| document.text.clone());
            let text = text.or_else(|| self.data.selected_row().map(|row| row.cells.join("\t")));
            self.say("copied", false);
            return text.map(Effect::Copy).into_iter().collect();
        }
        let Some(i) = self.invocation() else { return self.nothing_to_run() };
        let request = self.book.trace(&i.trace).find_map(|(_, record)| match &**record {
            Record::Request(r) if matches!(&i.parent, Cause::Request(id) if *id == r.id) => Some(r),
            _ => None,
        });
        let (text, cut) = match request.filter(|request| &*request.face == "http") {
            Some(request) => (curl::of_request(request, self.base()), request.body.is_cut()),
            None => (curl::of_invocation(i), i.event.is_cut()),
        };
        let word = if text.starts_with("curl") { "curl" } else { "emu invoke" };
        self.say(
            if cut { format!("copied {word}; its data is cut, as only its beginning is kept") } else { format!("copied {word}") },
            cut,
        );
        vec![Effect::Copy(text)]
    }

    fn base(&self) -> &str {
        self.about.addresses.first().map_or("", |(_, url)| url)
    }

    fn next_function(&mut self) -> Vec<Effect> {
        let mut names: Vec<&Arc<str>> = self.about.functions.iter().chain(self.tally.functions.keys()).collect();
        names.sort();
        names.dedup();
        let filter = if self.screen == Screen::Logs { &mut self.log_filter } else { &mut self.invocation_filter };
        filter.function = match &filter.function {
            None => names.first().map(|name| Arc::clone(name)),
            Some(now) => names.iter().find(|name| **name > now).map(|name| Arc::clone(name)),
        };
        self.refilter()
    }

    /// Makes the lists anew after a change of a filter.
    fn refilter(&mut self) -> Vec<Effect> {
        let (filter, book) = (&self.invocation_filter, &self.book);
        let shown = |record: &Record| matches!(record, Record::Invocation(i) if filter.shows_invocation(i));
        self.invocations.fill(book.iter().filter(|(_, record)| shown(record)).map(|(number, _)| number));
        let filter = &self.log_filter;
        let shown = |record: &Record| matches!(record, Record::Log(log) if filter.shows_log(log));
        self.logs.fill(book.iter().filter(|(_, record)| shown(record)).map(|(number, _)| number));
        Vec::new()
    }

    fn search_text(&self) -> &str {
        match self.screen {
            Screen::Logs => &self.log_filter.text,
            Screen::Data => &self.data.search,
            Screen::Problems => &self.problems.search,
            _ => &self.invocation_filter.text,
        }
    }

    fn search_for(&mut self, text: &str) -> Vec<Effect> {
        let text = text.to_lowercase();
        match self.screen {
            Screen::Logs => self.log_filter.text = text,
            Screen::Invocations => self.invocation_filter.text = text,
            Screen::Problems => {
                (self.problems.search, self.problems.row) = (text, 0);
                return Vec::new();
            }
            Screen::Data => {
                (self.data.search, self.data.row) = (text, 0);
                return self.data.wanted_rows().map(Effect::Send).into_iter().collect();
            }
            Screen::Overview | Screen::Cost => return Vec::new(),
        }
        self.refilter()
    }

    fn type_in(&mut self, event: &KeyEvent) -> Vec<Effect> {
        let Some(text) = &mut self.typing else { return Vec::new() };
        match (event.code, event.modifiers.contains(KeyModifiers::CONTROL)) {
            (KeyCode::Enter, _) => {
                self.typing = None;
                return Vec::new();
            }
            (KeyCode::Esc, _) | (KeyCode::Char('c'), true) => {
                self.typing = None;
                return self.search_for("");
            }
            (KeyCode::Backspace, _) | (KeyCode::Char('h'), true) => _ = text.pop(),
            (KeyCode::Char('u' | 'w'), true) => text.clear(),
            (KeyCode::Char(c), false) if !c.is_control() && text.len() < SEARCH_MAX => text.push(c),
            _ => return Vec::new(),
        }
        let text = text.clone();
        self.search_for(&text)
    }

    /// Something was clicked.
    pub fn click(&mut self, hit: Hit) -> Vec<Effect> {
        if self.overlay.is_some() {
            self.overlay = None;
            return Vec::new();
        }
        match hit {
            Hit::Tab(screen) => return self.show(screen),
            Hit::Shelf(at) => {
                self.data.focus = Focus::Shelves;
                return self.data.select_shelf(at).map(Effect::Send).into_iter().collect();
            }
            Hit::Bar(number) => {
                self.select_bar(number);
                return self.want_source();
            }
            Hit::Part(part) => {
                if let Some(detail) = &mut self.detail {
                    (detail.part, detail.scroll) = (part, 0);
                }
            }
            Hit::By(by) => (self.costs.by, self.costs.row) = (by, 0),
            Hit::Row(at) => return self.click_row(at),
        }
        Vec::new()
    }

    /// Selects a row; opens the one that is selected already.
    fn click_row(&mut self, at: usize) -> Vec<Effect> {
        match self.screen {
            Screen::Invocations if self.invocations.place() == Some(at) && !self.invocations.follows() => return self.open(),
            Screen::Logs if self.logs.place() == Some(at) && !self.logs.follows() => return self.open(),
            Screen::Data if self.data.row == at && self.data.focus == Focus::Rows => return self.open(),
            Screen::Invocations => self.invocations.select(at),
            Screen::Logs => self.logs.select(at),
            Screen::Data => (self.data.row, self.data.focus) = (at, Focus::Rows),
            Screen::Cost => self.costs.row = at,
            Screen::Problems => self.problems.row = at,
            Screen::Overview => {}
        }
        Vec::new()
    }

    /// The wheel was turned.
    pub fn wheel(&mut self, down: bool) -> Vec<Effect> {
        match &mut self.overlay {
            Some(Overlay::Help { scroll }) => {
                *scroll = scroll.saturating_add_signed(if down { 1 } else { -1 });
                Vec::new()
            }
            Some(Overlay::Confirm { .. }) => Vec::new(),
            None => self.move_by(if down { WHEEL } else { -WHEEL }),
        }
    }
}
