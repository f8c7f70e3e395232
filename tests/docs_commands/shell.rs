//! Blocks of shell in a page, and the commands in them.

use std::fmt::Write as _;

/// A block of shell, the heading of level two above it, and where it is.
pub(crate) struct Block {
    pub(crate) heading: String,
    pub(crate) script: String,
    pub(crate) place: String,
}

pub(crate) fn blocks(path: &str, text: &str) -> Vec<Block> {
    let (mut blocks, mut heading, mut open) = (Vec::new(), String::new(), None::<(usize, String)>);
    for (at, line) in text.lines().enumerate() {
        match &mut open {
            Some((start, script)) if line.trim() == "```" => {
                let place = format!("{path}:{start}");
                blocks.push(Block { heading: heading.clone(), script: std::mem::take(script), place });
                open = None;
            }
            Some((_, script)) => writeln!(script, "{line}").unwrap(),
            None if line.trim() == "```sh" => open = Some((at + 2, String::new())),
            None => {
                if let Some(title) = line.strip_prefix("## ") {
                    title.clone_into(&mut heading);
                }
            }
        }
    }
    assert!(open.is_none(), "{path}: a block has no end");
    blocks
}

/// The simple commands of a script, each with its words as they are written, quotation marks taken away. Assignments in
/// front and redirections are left out. Enough of the shell's grammar (POSIX, XCU 2.3) for the pages.
pub(crate) fn commands(script: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words, mut word) = (Vec::new(), Vec::new(), None::<String>);
    let mut characters = script.chars().peekable();
    let mut skip_next = false;
    let end_word = |word: &mut Option<String>, words: &mut Vec<String>, skip: &mut bool| {
        let Some(text) = word.take() else { return };
        let assigned = words.is_empty()
            && text
                .split_once('=')
                .is_some_and(|(name, _)| name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()));
        if !std::mem::take(skip) && !assigned {
            words.push(text);
        }
    };
    while let Some(c) = characters.next() {
        match c {
            '\'' => {
                let quoted: String = characters.by_ref().take_while(|c| *c != '\'').collect();
                word.get_or_insert_default().push_str(&quoted);
            }
            '"' => {
                let quoted: String = characters.by_ref().take_while(|c| *c != '"').collect();
                word.get_or_insert_default().push_str(&quoted);
            }
            '\\' => {
                if characters.peek() == Some(&'\n') {
                    characters.next();
                } else {
                    word.get_or_insert_default().extend(characters.next());
                }
            }
            '$' if characters.peek() == Some(&'(') => {
                // Another command, whose words are a word of this one; it is looked at by itself.
                characters.next();
                let inner: String = characters.by_ref().take_while(|c| *c != ')').collect();
                commands.extend(self::commands(&inner));
                word.get_or_insert_default().push_str(&format!("$({inner})"));
            }
            '#' if word.is_none() => while characters.next_if(|c| *c != '\n').is_some() {},
            '<' | '>' => {
                // A digit in front names a descriptor.
                if word.as_deref().is_some_and(|text| text.bytes().all(|b| b.is_ascii_digit())) {
                    word = None;
                }
                end_word(&mut word, &mut words, &mut skip_next);
                while characters.next_if(|c| "<>&".contains(*c)).is_some() {}
                skip_next = true;
            }
            ' ' | '\t' => end_word(&mut word, &mut words, &mut skip_next),
            '\n' | ';' | '|' | '&' | '(' | ')' => {
                end_word(&mut word, &mut words, &mut skip_next);
                commands.push(std::mem::take(&mut words));
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    end_word(&mut word, &mut words, &mut skip_next);
    commands.push(words);
    commands.retain(|words| !words.is_empty());
    commands
}

/// A word that puts a secret where every process can read it.
pub(crate) fn secret_in(words: &[String]) -> Option<&String> {
    let lower = |word: &String| word.to_ascii_lowercase();
    let expands = |word: &String| {
        word.contains('$') && ["token", "secret", "password", "_key"].iter().any(|part| lower(word).contains(part))
    };
    let header = |word: &String| {
        ["authorization:", "cf-access-client-", "cf-access-jwt"].iter().any(|name| lower(word).starts_with(name))
    };
    let reads = |word: &String| word.contains("$(") && (word.contains("secrets/") || word.contains(".env"));
    words.iter().skip(1).find(|word| expands(word) || header(word) || reads(word))
}

#[test]
fn the_shell_is_understood() {
    let script = "A=1 b --c 'd e' \"f\" <g 2>&1 | h # i\n(j && k \\\n  l) >m; n $(o p)\n";
    let expected: [&[&str]; 6] =
        [&["b", "--c", "d e", "f"], &["h"], &["j"], &["k", "l"], &["o", "p"], &["n", "$(o p)"]];
    assert_eq!(commands(script), expected);
}
