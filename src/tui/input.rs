//! The one table of keys: what each does, where, and how the help words it. What is not in it does nothing.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::Screen;

/// What a key or the mouse asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Quit,
    Show(Screen),
    NextScreen,
    PreviousScreen,
    Help,
    Search,
    Back,
    Step(Step),
    /// Sideways: the other pane, the next part, the next table.
    Left,
    Right,
    Open,
    Follow,
    FilterOutcome,
    FilterFunction,
    Level,
    Rerun,
    EditAndRun,
    Copy,
    Edit,
    Delete,
    Purge,
    Fire,
    Redrive,
    Refresh,
    Provider,
    FreeTier,
    ScrollUp,
    ScrollDown,
}

/// How far to move on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
}

/// Where keys mean something of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Overview,
    Invocations,
    Detail,
    Shelves,
    Rows,
    Document,
    Cost,
    Logs,
    Problems,
}

/// A key with its modifiers; Shift is part of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(KeyCode, KeyModifiers);

/// What some keys do in some places.
pub struct Binding {
    /// Everywhere, where empty.
    scopes: &'static [Scope],
    keys: &'static [Key],
    action: Action,
    /// What the help says.
    pub says: &'static str,
    /// A word for the last line of the screen; empty where it is not shown there.
    pub hint: &'static str,
}

const fn key(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::NONE)
}

const fn ctrl(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::CONTROL)
}

const fn named(code: KeyCode) -> Key {
    Key(code, KeyModifiers::NONE)
}

const fn bind(scopes: &'static [Scope], keys: &'static [Key], action: Action, says: &'static str, hint: &'static str) -> Binding {
    Binding { scopes, keys, action, says, hint }
}

use Scope::{Cost, Detail, Document, Invocations, Logs, Overview, Problems, Rows, Shelves};

const LISTS: &[Scope] = &[Invocations, Detail, Shelves, Rows, Cost, Logs, Problems, Document, Overview];
const SEARCHED: &[Scope] = &[Invocations, Shelves, Rows, Logs, Problems];

/// The table. The first that fits counts, so what is special stands before what is general.
pub const BINDINGS: &[Binding] = &[
    bind(&[Invocations], &[named(KeyCode::Enter)], Action::Open, "open the invocation: event, answer, logs, waterfall", "open"),
    bind(&[Shelves], &[named(KeyCode::Enter), named(KeyCode::Right), key('l')], Action::Open, "look at what it holds", "open"),
    bind(&[Rows], &[named(KeyCode::Enter)], Action::Open, "view it as JSON", "view"),
    bind(&[Logs], &[named(KeyCode::Enter)], Action::Open, "open the invocation that logged it", "open"),
    bind(&[Detail], &[named(KeyCode::Left), key('h')], Action::Left, "previous part: event, answer, logs, error", ""),
    bind(&[Detail], &[named(KeyCode::Right), key('l')], Action::Right, "next part: event, answer, logs, error", "part"),
    bind(&[Rows], &[named(KeyCode::Left), key('h')], Action::Left, "back to the list of tables, buckets, queues …", ""),
    bind(&[Cost], &[named(KeyCode::Left), key('h')], Action::Left, "previous table: by function, service, kind of trace", ""),
    bind(&[Cost], &[named(KeyCode::Right), key('l')], Action::Right, "next table: by function, service, kind of trace", "by"),
    bind(&[Invocations, Detail], &[key('r')], Action::Rerun, "run it again with the same event", "run again"),
    bind(&[Invocations, Detail], &[key('e')], Action::EditAndRun, "edit the event in $EDITOR, then run it", "edit+run"),
    bind(&[Invocations, Detail], &[key('y')], Action::Copy, "copy a curl that does the same", "curl"),
    bind(&[Invocations, Logs], &[key('f')], Action::Follow, "follow the newest, or stay", "follow"),
    bind(&[Invocations], &[key('s')], Action::FilterOutcome, "show all, failed ones, or cold ones", "status"),
    bind(&[Invocations, Logs], &[key('F')], Action::FilterFunction, "show one function after the other", "function"),
    bind(&[Logs], &[key('v')], Action::Level, "show lines from this level on", "level"),
    bind(&[Detail], &[key('K'), ctrl('u')], Action::ScrollUp, "scroll the text up", ""),
    bind(&[Detail], &[key('J'), ctrl('d')], Action::ScrollDown, "scroll the text down", "scroll"),
    bind(&[Rows, Document], &[key('e')], Action::Edit, "edit it in $EDITOR", "edit"),
    bind(&[Rows, Document], &[key('d'), named(KeyCode::Delete)], Action::Delete, "delete it (asks first)", "delete"),
    bind(&[Rows, Document], &[key('y')], Action::Copy, "copy it", "copy"),
    bind(&[Shelves, Rows], &[key('P')], Action::Purge, "remove everything it holds (asks first)", "purge"),
    bind(&[Rows], &[key('f')], Action::Fire, "fire the schedule now", "fire"),
    bind(&[Shelves, Rows], &[key('m')], Action::Redrive, "deliver dead letters again", "redrive"),
    bind(&[Shelves, Rows, Document], &[key('R')], Action::Refresh, "read it again", ""),
    bind(&[Cost], &[key('p')], Action::Provider, "the next provider's prices", "provider"),
    bind(&[Cost], &[key('t')], Action::FreeTier, "with or without the free tier", "free tier"),
    bind(LISTS, &[named(KeyCode::Up), key('k')], Action::Step(Step::Up), "up", ""),
    bind(LISTS, &[named(KeyCode::Down), key('j')], Action::Step(Step::Down), "down", ""),
    bind(LISTS, &[named(KeyCode::PageUp), ctrl('b')], Action::Step(Step::PageUp), "a page up", ""),
    bind(LISTS, &[named(KeyCode::PageDown), ctrl('f')], Action::Step(Step::PageDown), "a page down", ""),
    bind(LISTS, &[named(KeyCode::Home), key('g')], Action::Step(Step::First), "to the first", ""),
    bind(LISTS, &[named(KeyCode::End), key('G')], Action::Step(Step::Last), "to the last", ""),
    bind(SEARCHED, &[key('/')], Action::Search, "search; Enter keeps it, Esc drops it", "search"),
    bind(&[], &[key('1')], Action::Show(Screen::Overview), "overview", ""),
    bind(&[], &[key('2')], Action::Show(Screen::Invocations), "invocations", ""),
    bind(&[], &[key('3')], Action::Show(Screen::Data), "data", ""),
    bind(&[], &[key('4')], Action::Show(Screen::Cost), "cost", ""),
    bind(&[], &[key('5')], Action::Show(Screen::Logs), "logs", ""),
    bind(&[], &[key('6')], Action::Show(Screen::Problems), "problems", ""),
    bind(&[], &[named(KeyCode::Tab)], Action::NextScreen, "next screen", "next"),
    bind(&[], &[named(KeyCode::BackTab)], Action::PreviousScreen, "previous screen", ""),
    bind(&[], &[named(KeyCode::Esc)], Action::Back, "back; drop a search or filter", ""),
    bind(&[], &[key('?'), named(KeyCode::F(1))], Action::Help, "this help", "help"),
    bind(&[], &[key('q'), ctrl('c')], Action::Quit, "stop emu", "quit"),
];

/// What a key does in a place.
pub fn action(scope: Scope, event: &KeyEvent) -> Option<Action> {
    // Two of them in a row arrive as one with Alt.
    let kept = if event.code == KeyCode::Esc { KeyModifiers::NONE } else { KeyModifiers::CONTROL | KeyModifiers::ALT };
    let modifiers = event.modifiers & kept;
    let pressed = Key(event.code, modifiers);
    BINDINGS.iter().find(|binding| binding.is_in(scope) && binding.keys.contains(&pressed)).map(|binding| binding.action)
}

impl Binding {
    /// Whether it means something there.
    pub fn is_in(&self, scope: Scope) -> bool {
        self.scopes.is_empty() || self.scopes.contains(&scope)
    }

    pub fn action(&self) -> Action {
        self.action
    }

    /// Whether it means the same everywhere.
    pub fn is_general(&self) -> bool {
        self.scopes.is_empty()
    }

    /// The first key, for narrow places.
    pub fn key(&self) -> String {
        self.keys.first().map(Key::to_string).unwrap_or_default()
    }

    /// All keys.
    pub fn keys(&self) -> String {
        self.keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.1.contains(KeyModifiers::CONTROL) {
            write!(f, "^")?;
        }
        match self.0 {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Enter => write!(f, "Enter"),
            KeyCode::Esc => write!(f, "Esc"),
            KeyCode::Tab => write!(f, "Tab"),
            KeyCode::BackTab => write!(f, "⇧Tab"),
            KeyCode::Up => write!(f, "↑"),
            KeyCode::Down => write!(f, "↓"),
            KeyCode::Left => write!(f, "←"),
            KeyCode::Right => write!(f, "→"),
            KeyCode::PageUp => write!(f, "PgUp"),
            KeyCode::PageDown => write!(f, "PgDn"),
            KeyCode::Home => write!(f, "Home"),
            KeyCode::End => write!(f, "End"),
            KeyCode::Delete => write!(f, "Del"),
            KeyCode::F(n) => write!(f, "F{n}"),
            other => write!(f, "{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPES: [Scope; 9] = [Overview, Invocations, Detail, Shelves, Rows, Document, Cost, Logs, Problems];

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for scope in SCOPES {
            let mut seen: Vec<Key> = Vec::new();
            for binding in BINDINGS.iter().filter(|binding| binding.is_in(scope)) {
                for key in binding.keys {
                    assert!(!seen.contains(key), "{scope:?}: {key}");
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn keys_do_what_the_table_says() {
        let press = |scope, code, modifiers| action(scope, &KeyEvent::new(code, modifiers));
        for (scope, code, modifiers, expected) in [
            (Invocations, KeyCode::Char('r'), KeyModifiers::NONE, Some(Action::Rerun)),
            (Overview, KeyCode::Char('r'), KeyModifiers::NONE, None),
            (Rows, KeyCode::Char('P'), KeyModifiers::SHIFT, Some(Action::Purge)),
            (Cost, KeyCode::Char('p'), KeyModifiers::NONE, Some(Action::Provider)),
            (Document, KeyCode::Char('c'), KeyModifiers::CONTROL, Some(Action::Quit)),
            (Document, KeyCode::Char('c'), KeyModifiers::NONE, None),
            (Rows, KeyCode::Esc, KeyModifiers::ALT, Some(Action::Back)),
            (Logs, KeyCode::Char('6'), KeyModifiers::NONE, Some(Action::Show(Screen::Problems))),
        ] {
            assert_eq!(press(scope, code, modifiers), expected, "{scope:?} {code:?}");
        }
    }
}
