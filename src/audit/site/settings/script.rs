//! JavaScript and TypeScript → [`SettingValue`], for what stands there literally. Nothing is run: what only running would give is
//! [`SettingValue::Computed`]. In: the text of a configuration. Out: the value that it exports.

use rustc_hash::FxHashMap;

use super::value::SettingValue;

/// Literals nest no deeper than this.
const DEEPEST: usize = 64;
/// Named constants are followed this many times.
const MOST_NAMES: usize = 64;

/// Returns what a configuration exports: `export default …`, `module.exports = …`.
pub(super) fn parse(text: &str) -> SettingValue {
    let constants = constants(text);
    let start = ["export default", "module.exports =", "module.exports=", "export ="]
        .iter()
        .filter_map(|mark| code(text, mark).map(|at| at + mark.len()))
        .min();
    let Some(start) = start else { return SettingValue::Computed };
    let mut reader =
        ScriptReader { text, at: start, depth: 0, constants: &constants, names: MOST_NAMES, is_lost: false };
    let value = unwrapped(reader.value());
    if reader.is_lost { SettingValue::Computed } else { value }
}

/// `defineConfig({…})` and its like give back what they are given.
fn unwrapped(value: SettingValue) -> SettingValue {
    match value {
        SettingValue::Call(name, mut arguments)
            if (name.starts_with("define") || name.starts_with("with")) && arguments.len() == 1 =>
        {
            unwrapped(arguments.remove(0))
        }
        other => other,
    }
}

/// Where `mark` stands in `text` at the beginning of a line.
fn code(text: &str, mark: &str) -> Option<usize> {
    memchr::memmem::find_iter(text.as_bytes(), mark).find(|at| *at == 0 || text.as_bytes()[at - 1] == b'\n')
}

/// Where the values of `const NAME = …` at the beginning of a line start.
fn constants(text: &str) -> FxHashMap<&str, usize> {
    let mut found = FxHashMap::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, code) = (at, line.strip_prefix("export ").unwrap_or(line));
        at += line.len();
        let Some(rest) = ["const ", "let ", "var "].iter().find_map(|word| code.strip_prefix(word)) else { continue };
        let name = &rest[..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())];
        // The type of a constant stands between its name and the sign.
        if let Some(sign) = line.find(" = ").filter(|_| !name.is_empty()) {
            found.insert(name, start + sign + 3);
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

struct ScriptReader<'a, 'b> {
    text: &'a str,
    at: usize,
    depth: usize,
    constants: &'b FxHashMap<&'a str, usize>,
    names: usize,
    /// A quotation mark without its end was met, in a regular expression most likely: nothing behind it is known.
    is_lost: bool,
}

impl<'a> ScriptReader<'a, '_> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Passes over blanks and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.at += memchr::memmem::find(rest.as_bytes(), b"*/").map_or(rest.len(), |end| end + 2);
            } else {
                return;
            }
        }
    }

    fn eat(&mut self, c: char) -> bool {
        self.skip();
        let is_there = self.peek() == Some(c);
        if is_there {
            self.at += c.len_utf8();
        }
        is_there
    }

    /// Reads a value up to the comma or bracket behind it.
    fn value(&mut self) -> SettingValue {
        self.skip();
        if self.depth >= DEEPEST {
            self.pass();
            return SettingValue::Computed;
        }
        self.depth += 1;
        let value = self.primary();
        self.depth -= 1;
        self.skip();
        let rest = self.rest();
        // `x as Y` and `x satisfies Y` are x.
        if rest.starts_with("as ") || rest.starts_with("satisfies ") {
            self.pass();
            return value;
        }
        match self.peek() {
            None | Some(',' | ']' | '}' | ')' | ';') => value,
            // A statement that ends with its line.
            Some(c) if self.depth == 0 && (is_word(c) || c == '/') => value,
            // The value is a part of something larger.
            Some(_) => {
                self.pass();
                SettingValue::Computed
            }
        }
    }

    fn primary(&mut self) -> SettingValue {
        match self.peek() {
            Some('{') => self.table(),
            Some('[') => {
                self.at += 1;
                SettingValue::List(self.list(']'))
            }
            Some('(') => {
                self.at += 1;
                let value = self.value();
                if self.eat(')') && !self.rest().trim_start().starts_with("=>") {
                    value
                } else {
                    SettingValue::Computed
                }
            }
            Some('"' | '\'' | '`') => self.quoted().map_or(SettingValue::Computed, SettingValue::Text),
            Some(c) if c.is_ascii_digit() => SettingValue::Text(self.word().to_owned()),
            Some(c) if is_word(c) => self.named(),
            _ => SettingValue::Computed,
        }
    }

    /// A word: `true`, a constant, a call.
    fn named(&mut self) -> SettingValue {
        let name = self.word();
        match name {
            "true" => return SettingValue::Bool(true),
            "false" => return SettingValue::Bool(false),
            "null" | "undefined" => return SettingValue::Null,
            "await" => {
                self.skip();
                return self.primary();
            }
            _ => {}
        }
        self.skip();
        match self.peek() {
            Some('(') => {
                self.at += 1;
                SettingValue::Call(name.to_owned(), self.list(')'))
            }
            None | Some(',' | ']' | '}' | ')' | ';' | '\n') => self.constant(name),
            _ if self.rest().starts_with("as ") || self.rest().starts_with("satisfies ") || self.depth == 1 => {
                self.constant(name)
            }
            _ => SettingValue::Computed,
        }
    }

    fn constant(&mut self, name: &str) -> SettingValue {
        match self.constants.get(name) {
            Some(start) if self.names > 0 => {
                let mut reader = ScriptReader {
                    text: self.text,
                    at: *start,
                    depth: self.depth,
                    constants: self.constants,
                    names: self.names - 1,
                    is_lost: false,
                };
                let value = unwrapped(reader.primary());
                self.names = reader.names;
                self.is_lost |= reader.is_lost;
                value
            }
            _ => SettingValue::Computed,
        }
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let word = &rest[..rest.find(|c: char| !is_word(c) && c != '.').unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn list(&mut self, end: char) -> Vec<SettingValue> {
        let mut items = Vec::new();
        while !self.eat(end) && self.at < self.text.len() {
            let before = self.at;
            if self.rest().starts_with("...") {
                self.pass();
                items.push(SettingValue::Computed);
            } else {
                items.push(self.value());
            }
            if !self.eat(',') && self.at == before {
                self.at += self.peek().map_or(1, char::len_utf8);
            }
        }
        items
    }

    fn table(&mut self) -> SettingValue {
        self.at += 1;
        let mut entries = Vec::new();
        while !self.eat('}') && self.at < self.text.len() {
            let before = self.at;
            let key = match self.peek() {
                Some('"' | '\'' | '`') => self.quoted().unwrap_or_default(),
                Some(c) if is_word(c) => self.method_name(),
                _ if self.rest().starts_with("...") => "...".to_owned(),
                _ => String::new(),
            };
            if self.eat(':') {
                let value = self.value();
                entries.push((key, value));
            } else if matches!(self.peek(), Some(',' | '}')) && !key.is_empty() {
                let value = self.constant(&key);
                entries.push((key, value));
            } else {
                // A method, a computed key, what is spread.
                self.pass();
                entries.push((key, SettingValue::Computed));
            }
            if !self.eat(',') && self.at == before {
                self.at += self.peek().map_or(1, char::len_utf8);
            }
        }
        SettingValue::Table(entries)
    }

    /// Reads a key without quotes; what `async` and others of its kind stand in front of is the name of a method.
    fn method_name(&mut self) -> String {
        let word = self.word();
        self.skip();
        let is_modifier = matches!(word, "async" | "get" | "set") && self.peek().is_some_and(is_word);
        if is_modifier { self.word() } else { word }.to_owned()
    }

    /// Reads a quoted text; nothing where something is put in.
    fn quoted(&mut self) -> Option<String> {
        let quote = self.peek()?;
        self.at += 1;
        let mut text = String::new();
        let mut is_whole = true;
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.at += at + 1;
                    return is_whole.then_some(text);
                }
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    c if c.is_alphanumeric() => is_whole = false,
                    c => text.push(c),
                },
                '$' if quote == '`' && self.rest()[at + 1..].starts_with('{') => is_whole = false,
                '\n' if quote != '`' => break,
                c => text.push(c),
            }
        }
        self.at = self.text.len();
        self.is_lost = true;
        None
    }

    /// Passes over an expression, up to the comma or bracket that ends it.
    fn pass(&mut self) {
        let mut depth = 0_usize;
        while let Some(c) = self.peek() {
            match c {
                '"' | '\'' | '`' => {
                    let _ = self.quoted();
                    continue;
                }
                '/' if self.rest().starts_with("//") || self.rest().starts_with("/*") => {
                    self.skip();
                    continue;
                }
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth == 0 => return,
                ')' | ']' | '}' => depth -= 1,
                ',' | ';' if depth == 0 => return,
                _ => {}
            }
            self.at += c.len_utf8();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_and_nothing_is_run() {
        let value = parse(
            "import x from 'y';\n// export default no\nconst base = '/a/';\nconst config: Config = {\n  base, // comment\n  title: `T ${base}`, nested: {list: [1, 'b', process.env.X ?? 'd', \"e\" as const]},\n  plugins: [starlight({ title: 'A', \"redirects\": {'/old': '/new'} }), ...more],\n  async load(a, b) { return {c: 1}; }, hook: () => ({a: 1}), after: 'yes',\n};\nexport default config;\n",
        );
        assert_eq!(value.get("base").text(), Some("/a/"));
        assert_eq!(value.get("title"), &SettingValue::Computed);
        assert_eq!(value.at(&["nested", "list"]).items()[2], SettingValue::Computed);
        assert_eq!(value.at(&["nested", "list"]).items()[3].text(), Some("e"));
        let arguments = value.call("starlight").unwrap();
        assert_eq!(arguments[0].at(&["redirects", "/old"]).text(), Some("/new"));
        assert_eq!((value.get("load"), value.get("hook")), (&SettingValue::Computed, &SettingValue::Computed));
        assert_eq!(value.get("after").text(), Some("yes"));
    }

    #[test]
    fn every_way_to_export() {
        for text in [
            "module.exports = {a: 'b'}",
            "export default defineConfig({a: 'b'})\n",
            "export default {a: 'b'} satisfies X;",
            "/** @type {X} */\nconst c = ({a: 'b'});\nmodule.exports = c;\n",
            "const c = defineConfig({\n a: \"b\", \n})\n\nexport default c\n",
        ] {
            assert_eq!(parse(text).get("a").text(), Some("b"), "{text}");
        }
        for text in ["", "export default async () => ({a: 'b'})", "module.exports = f(x, y)", "export default {...x}"] {
            assert!(parse(text).is_computed(), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn what_never_ends_does() {
        for text in
            ["{".repeat(100_000), "[{a:".repeat(20_000), "`${".to_owned(), "const a = a;\nexport default a".to_owned()]
        {
            let _ = parse(&format!("export default {text}"));
        }
        let _ = parse("const a = b\nconst b = a\nexport default a\n");
    }
}
