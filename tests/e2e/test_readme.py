"""README.md says what is true: its configurations pass the check, its commands and options exist."""

import pathlib
import re
import subprocess

import pytest

from conftest import BUILD, ROOT
from sink import find_program

README = (ROOT / "README.md").read_text(encoding="utf-8")

# A fenced block: its language, and what is in it.
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
CONFIGURATIONS = [text for language, text in BLOCKS if language == "libconfig"]


def top_level_settings(text):
    """{name: the whole setting} of what stands outside of any bracket."""
    settings, name, depth, start = {}, None, 0, 0
    for token in re.finditer(r'"(?:\\.|[^"\\])*"|#[^\n]*|[({\[\]})]|;|(\w+)\s*=', text):
        word = token.group()
        if word in list("({["):
            depth += 1
        elif word in list(")}]"):
            depth -= 1
        elif depth == 0 and token.group(1):
            name, start = token.group(1), token.start()
        elif depth == 0 and word == ";":
            settings[name] = text[start : token.end()]
    return settings


def check(folder, settings):
    """hubmaild -t, with every password and key that is named in place."""
    file = folder / "hubmail.conf"
    file.write_text("\n".join(settings.values()) + "\n", encoding="utf-8")
    for name in re.findall(r'password_file = "([^"/]+)"', file.read_text(encoding="utf-8")):
        (folder / name).write_text("secret\n")
    for name in re.findall(r'key_file = "([^"/]+)"', file.read_text(encoding="utf-8")):
        make_key = ["openssl", "genrsa", "-out", folder / name, "2048"]
        subprocess.run(make_key, check=True, capture_output=True)
    program = find_program(BUILD, "hubmaild")
    return subprocess.run([program, "-c", file, "-t"], capture_output=True, text=True)


def hubmailctl(*arguments):
    program = find_program(BUILD, "hubmailctl")
    return subprocess.run([program, *arguments], capture_output=True, text=True)


def command_lines():
    """The words behind each `hubmailctl` in code, up to the end of the command."""
    code = [text for language, text in BLOCKS if language == ""]
    code += re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", README, flags=re.M | re.S))
    for text in code:
        for rest in re.findall(r"^(?:sudo )?hubmailctl +([^\n#|;&]*)", text, re.M):
            yield rest.split()


def test_the_first_configuration_is_whole(tmp_path):
    done = check(tmp_path, top_level_settings(CONFIGURATIONS[0]))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("number", range(1, len(CONFIGURATIONS)))
def test_each_further_block_takes_the_place_of_settings_in_it(tmp_path, number):
    whole = top_level_settings(CONFIGURATIONS[0])
    block = top_level_settings(CONFIGURATIONS[number])
    assert block, CONFIGURATIONS[number]
    done = check(tmp_path, {**whole, **block})
    assert done.returncode == 0, done.stderr


def test_all_blocks_agree_with_each_other(tmp_path):
    settings = {}
    for text in CONFIGURATIONS:
        settings.update(top_level_settings(text))
    assert {"web", "relays", "lists", "dkim", "domains"} <= set(settings)
    done = check(tmp_path, settings)
    assert done.returncode == 0, done.stderr


def test_every_command_and_option_is_there():
    lines = [words for words in command_lines() if words]
    assert len(lines) > 20, "the commands were found"
    known = set(re.findall(r"^  (\w+) ", hubmailctl("help").stdout, re.M))
    for words in lines:
        assert words[0] in known, f"hubmailctl {' '.join(words)}: no such command"
        help_text = hubmailctl("help", words[0]).stdout
        for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", " ".join(words[1:])):
            pattern = rf"(?<!\S){option}(?![\w-])"
            assert re.search(pattern, help_text), f"hubmailctl {words[0]}: no {option}"


def test_every_file_that_is_linked_is_there():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / pathlib.Path(target)).exists(), target
