//! Traces of the TLA+ model as model checkers write them: the Informal Trace Format of Apalache,
//! and what TLC prints or dumps as JSON. All become states as JSON.

use serde_json::{Map, Value, json};

/// The variable by which a trace of the model is known.
const STATE: &str = "rmState";

/// Whether a text is a trace of the model.
pub(super) fn is_in(text: &str) -> bool {
    if text.trim_start().starts_with('{') {
        let document = serde_json::from_str::<Value>(text).ok();
        let states = document.as_ref().and_then(of_json);
        return states.is_some_and(|states| states.iter().any(|it| it.get(STATE).is_some()));
    }
    text.lines().any(|line| heading(line) == Some("1")) && text.contains(STATE)
}

/// The states of a trace, whoever wrote it.
pub(super) fn states(text: &str) -> Result<Vec<Value>, String> {
    if text.trim_start().starts_with('{') {
        let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        return of_json(&document).ok_or_else(|| "it has no states".to_owned());
    }
    of_text(text)
}

/// `states` of the Informal Trace Format, or `state` of TLC's JSON: pairs of number and state.
fn of_json(document: &Value) -> Option<Vec<Value>> {
    if let Some(states) = document["states"].as_array() {
        return Some(states.clone());
    }
    let dumped = document.get("counterexample").unwrap_or(document);
    let mut pairs = dumped["state"].as_array()?.iter().collect::<Vec<_>>();
    // They are a set.
    pairs.sort_by_key(|pair| pair[0].as_u64());
    Some(pairs.into_iter().map(|pair| pair[1].clone()).collect())
}

/// The number of the state that a line of TLC's output begins.
fn heading(line: &str) -> Option<&str> {
    let (number, _) = line.trim_start().strip_prefix("State ")?.split_once(':')?;
    number.parse::<u32>().ok().map(|_| number)
}

/// What TLC prints: `State 3: <Action ...>`, then `/\ variable = value` over several lines.
fn of_text(text: &str) -> Result<Vec<Value>, String> {
    let mut states = Vec::new();
    let mut lines = text.lines().zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        if heading(line).is_none() {
            continue;
        }
        let mut body = String::new();
        while let Some((next, _)) = lines.peek() {
            if next.trim().is_empty() || heading(next).is_some() {
                break;
            }
            body.push_str(next);
            body.push('\n');
            lines.next();
        }
        // `State 5: Stuttering` has none.
        if !body.is_empty() {
            let mut parser = Parser { rest: &body };
            let state = parser.state();
            let at = |why| format!("the state in line {number}: {why}");
            states.push(state.map_err(at)?);
        }
    }
    Ok(states)
}

/// Values of TLA+ as TLC prints them.
struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn need(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            return Ok(());
        }
        let found: String = self.rest.chars().take(20).collect();
        Err(format!(
            "expected `{token}` and found `{}`",
            found.trim_end()
        ))
    }

    /// Letters, digits and `_`.
    fn word(&mut self) -> &str {
        self.skip();
        let end = self
            .rest
            .find(|char: char| !(char.is_alphanumeric() || char == '_'));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    /// `/\ a = 1 /\ b = 2`, or `a = 1` alone.
    fn state(&mut self) -> Result<Value, String> {
        let mut state = Map::new();
        loop {
            let more = self.take("/\\");
            self.skip();
            if self.rest.is_empty() {
                return Ok(Value::Object(state));
            }
            if !more && !state.is_empty() {
                self.need("/\\")?;
            }
            let name = self.word().to_owned();
            self.need("=")?;
            let value = self.value()?;
            state.insert(name, value);
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.take("\"") {
            let (text, rest) = self.rest.split_once('"').ok_or("a string does not end")?;
            self.rest = rest;
            return Ok(text.into());
        }
        if self.take("{") {
            return Ok(json!({"#set": self.several("}", Self::value)?}));
        }
        if self.take("<<") {
            return Ok(self.several(">>", Self::value)?.into());
        }
        if self.take("[") {
            let fields = self.several("]", |parser| {
                let name = parser.word().to_owned();
                parser.need("|->")?;
                Ok((name, parser.value()?))
            })?;
            return Ok(Value::Object(fields.into_iter().collect()));
        }
        if self.take("(") {
            return self.function();
        }
        let word = self.word().to_owned();
        match (word.as_str(), word.parse::<u64>()) {
            ("", _) => self.need("a value").map(|()| Value::Null),
            (_, Ok(number)) => Ok(number.into()),
            _ => Ok(word.into()),
        }
    }

    /// `0 :> a @@ 1 :> b)`.
    fn function(&mut self) -> Result<Value, String> {
        let mut pairs = Vec::new();
        loop {
            let key = self.value()?;
            self.need(":>")?;
            pairs.push(json!([key, self.value()?]));
            if self.take(")") {
                return Ok(json!({"#map": pairs}));
            }
            self.need("@@")?;
        }
    }

    /// What stands between commas, to the end.
    fn several<T>(
        &mut self,
        end: &str,
        one: impl Fn(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut all = Vec::new();
        if self.take(end) {
            return Ok(all);
        }
        loop {
            all.push(one(self)?);
            if self.take(end) {
                return Ok(all);
            }
            self.need(",")?;
        }
    }
}
