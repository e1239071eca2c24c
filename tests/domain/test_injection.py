"""Values inside of texts that something evaluates: which command lines are refused, and which must not be.

Each line of the tables is a command as a shell would split it, for rows with the columns ``a`` and ``b``.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
import re
import shlex
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobctl.domain.evaluated_words import evaluated
from jobctl.domain.evaluators import POSIX_SHELLS, PROGRAMS
from jobctl.domain.injection import check_scripts
from jobctl.domain.template import Template, compile
from jobctl.errors import UsageError
from jobctl.handlers.kinds import make_handler

COLUMNS = ["a", "b", "c:q"]


def judge(command: str, columns: list[str] | None = COLUMNS) -> None:
    argv = shlex.split(command)
    template = compile(argv, columns)
    check_scripts(argv, template.arguments)


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


#: Before a command that evaluates nothing by itself; whatever they start is looked at.
WRAPPERS = lines(r"""
    env
    env -i X=1 -u HOME
    nice -n 10
    nice -10
    ionice -c 2 -n 7
    timeout -k 5 10
    timeout --signal KILL 10m
    nohup
    setsid -w
    stdbuf -oL -e 0
    time -f %e -o log
    taskset -c 0-3
    chrt -f 10
    numactl -N 0 -m 0
    xvfb-run -a -s '-screen 0 1x1x8'
    unshare -rn
    chroot --userspec=me /jail
    doas -u me
    sudo
    sudo -u {b} -H
    sudo -n -- env X=1
    sudo X=1
    setpriv --reuid 1000 --clear-groups
    runuser -u nobody --
    prlimit --nofile=10
    strace -f -o log
    flock /lock
    flock -w 5 {b}
    flock -n /lock
    xargs -n 1
    xargs -I % -P 4
    busybox
    systemd-run --user --scope
    systemd-run --unit {b} -p X=1
    srun -n 1 -c 4
    mpirun -np 4
    docker run --rm -v {b}:/x -e X=1 image
    docker exec -i {b}
    podman run --rm image
    kubectl exec {b} -c main --
    kubectl run x --image=y --
    apptainer exec image.sif
    conda run -n env
    poetry run
    bwrap --ro-bind / / --dev /dev
    perf stat -e cycles
    watch -x
    find . -name {b} -exec
    nsenter -t 1 -m
    gosu me
    tini --
    faketime '2020-01-01'
    sshpass -p x
    unknown-program --option
""")

#: A shell with options before its script.
SHELL_OPTIONS = lines(r"""
    bash -c
    sh -c
    /bin/sh -c
    /usr/local/bin/bash5 -c
    bash-5.2 -c
    bash -euo pipefail -c
    bash -ceuo pipefail
    bash -e -u -o pipefail -c
    bash -o pipefail -ec
    bash -ec
    bash -lc
    bash -c -e
    bash -O extglob -c
    bash +o history -c
    bash --norc -c
    bash --rcfile x -c
    bash --norc --noprofile -lc
    bash -c --
    dash -ec
    zsh -fc
    zsh -o extendedglob -c
    zsh --emulate sh -c
    ksh -c
    ksh93 -c
    mksh -c
    ash -c
    yash -c
    busybox sh -c
    busybox ash -ec
""")

#: Refused without quotes, and accepted with ``:q``: %s is the place of the value.
SHELL_TEXTS = lines(r"""
    ssh host cat %s
    ssh host 'cat %s'
    ssh -p 22 -i key -l me -o BatchMode=yes host 'cat %s'
    ssh -t host -p 22 sudo cat %s
    ssh -J jump -- host cat %s
    ssh {b} -- cat %s
    autossh -M 0 host cat %s
    su -c 'cat %s'
    su - nobody -c 'cat %s'
    su nobody -s /bin/sh -lc 'cat %s'
    su --command='cat %s' nobody
    su --comm 'cat %s' nobody
    su nobody -- -c 'cat %s'
    runuser -l nobody -c 'cat %s'
    runuser nobody --command 'cat %s'
    sudo su - nobody -c 'cat %s'
    sudo -u {b} bash -c 'cat %s'
    flock /lock -c 'cat %s'
    flock -w 5 /lock --command 'cat %s'
    script -qec 'cat %s' /dev/null
    script --command 'cat %s' log
    sg group -c 'cat %s'
    sg group 'cat %s'
    watch -n 1 cat %s
    watch 'cat %s'
    entr -s 'cat %s'
    sbatch --wrap 'cat %s'
    sbatch -J x --wrap='cat %s'
    nix-shell -p x --run 'cat %s'
    npx -c 'cat %s'
    npm exec -c 'cat %s'
    vagrant ssh -c 'cat %s'
    gcloud compute ssh host --command 'cat %s'
    gcloud compute ssh host --zone x -- cat %s
    az ssh vm -n host -- 'cat %s'
    capsh --drop=all -- -c 'cat %s'
    hyperfine 'cat %s'
    split --filter='cat > %s' file
    pdsh -w host cat %s
    git submodule foreach cat %s
    git filter-branch --tree-filter 'cat %s' HEAD
    find . -exec sh -c 'cat %s' _ {{}} \;
    find . -execdir bash -ec 'cat %s' _ \;
    fd x -x sh -c 'cat %s'
    xargs -n 1 sh -c 'cat %s' _
    unknown-wrapper --flag bash -ec 'cat %s'
""")

#: Refused, and nothing but ``:url`` can make it right.
NEVER = lines(r"""
    fish -c 'cat {a:q}'
    fish --command='cat {a:q}'
    fish -C 'cat {a:q}' script
    csh -fc 'cat {a:q}'
    tcsh -c 'cat {a:q}'
    pwsh -NoProfile -Command Get-Item {a:q}
    pwsh -c {a:q}
    nu -c {a:q}
    env -S 'cat {a:q}'
    env -iS 'bash -c {a:q}'
    env --split-string='cat {a:q}'
    env '-Scat {a:q}'
    parallel cat {a:q}
    parallel -j 4 'cat {a:q}'
    ssh -o 'ProxyCommand=nc {a:q} 22' host
    ssh -oProxyCommand={a} host
    ssh host bash -c {a:q}
    ssh host eval {a:q}
    bash -c 'eval {a:q}'
    bash -c 'ssh host cat {a:q}'
    bash -c 'echo; sudo sh -c {a:q}'
    rsync -e 'ssh -p {a:q}' x y
    rsync -ave {a:q} x y
    rsync --rsh={a} x y
    git -c alias.x={a:q} x
    git -c core.sshCommand={a:q} fetch
    git -c {a:q} status
    git rebase --exec {a:q} main
    git rebase -x {a:q} main
    git clone --upload-pack={a:q} x
    make X={a:q}
    make --eval={a:q}
    tar -I {a:q} -cf x y
    tar --to-command={a:q} -xf x
    tar --checkpoint-action=exec={a:q} -cf x y
    perl -e 'print {a:json}'
    perl -ne 'print if /{a}/' file
    perl -lane 'print {a:q}'
    perl -i.bak -pe 's/x/{a}/' file
    perl -M{a} script
    ruby -e 'puts {a:json}'
    php -r 'echo {a:json};'
    lua -e 'print({a:json})'
    Rscript -e '{a:q}'
    julia -e 'print({a:json})'
    awk '/{a}/ {{print}}' file
    awk -F , '{{print $1 {a:json}}}' file
    gawk -e {a:q} file
    gawk --source={a} file
    busybox awk '/{a}/'
    sed s/x/{a:q}/ file
    sed -n -e {a:q} file
    sed -ne s/{a}/x/p file
    sed --expression={a} file
    sed --expr={a} file
    psql -c 'select {a:q}' db
    psql db --command='select {a:json}'
    mysql db -e "select '{a}'"
    mysql --execute={a:q} db
    sqlite3 {b} 'select {a:q}'
    sqlite3 -header -csv db.sqlite {a:q}
    sqlite3 -cmd {a:q} db.sqlite
    duckdb -c {a:q}
    gdb -batch -ex 'run {a:q}' program
    gdb --eval-command={a} program
    vim -c 'edit {a:q}'
    vim +{a} file
    nvim --cmd {a:q}
    emacs --batch --eval '(x {a:json})'
    tmux new-session -d -s x 'cat {a:q}'
    tmux send-keys -t x {a:q} Enter
    screen -S x -X stuff {a:q}
    socat - EXEC:{a:q}
    socat - SYSTEM:'cat {a:q}'
    expect -c {a:q}
    gnuplot -e 'x={a:json}'
    osascript -e {a:q}
    ansible all -a 'cat {a:q}'
    ansible-playbook -e x={a:q} play.yml
    redis-cli eval {a:q} 0
    nix eval --expr {a:json}
    nix-build -E {a:json}
    tsx -e 'x({a})'
    hive -e 'select {a:q}'
    docker-compose exec db psql -c 'select {a:q}'
    sed -i '' s/{a}/x/ file
    bash -c 'bash -o "x y" -c {a:q}'
    bash -c 'sudo sh -c "x; y" && psql -c {a:q}'
    yq e '.x = {a:json}' file
    docker exec {b} perl -e 'print {a}'
    sudo -u x python3 -c 'print({a})'
    unknown-wrapper perl -we 'print {a}'
""")

#: Not evaluated, or only as data.
HARMLESS = lines(r"""
    cat {a}
    bash script.sh {a}
    bash -x script.sh -c {a}
    bash -euo pipefail script.sh {a}
    bash -c 'echo "$1"' _ {a}
    bash -c 'echo "$1"' {a} {b}
    bash -euo pipefail -c 'echo "$1"' _ {a}
    bash -c 'echo {#} {%}'
    bash -s {a}
    sh {a}
    ssh {a} uptime
    ssh -o BatchMode=yes -p {b} {a}
    ssh -o User={b} {a} uptime
    ssh -l {b} {a} uptime
    scp {a} host:dir/
    rsync -av {a} host:dir/
    rsync -av -e ssh {a} host:{b}
    find {a} -name {b}
    find . -name {a} -exec rm {{}} +
    find . -exec cp {{}} {a} \;
    find . -exec sh -c 'cp "$1" "$2"' _ {{}} {a} \;
    python script.py {a}
    python3.12 script.py -c {a}
    python -c 'import sys; print(sys.argv[1])' {a}
    python -u -m package {a}
    python -m package -c {a}
    perl script.pl -e {a}
    perl -e 'print $ARGV[0]' {a}
    perl -ne 'print' {a}
    ruby -e 'puts ARGV' {a}
    node -e 'console.log(process.argv[1])' {a}
    node script.js -e {a}
    php -f script.php {a}
    awk -v x={a} 'x == 1' {b}
    awk -F {a} 'x == 1' {b}
    awk -f script.awk {a}
    gawk -e 'x == 1' {a}
    sed s/x/y/ {a}
    sed -n 5p {a}
    sed -i.bak -e s/x/y/ {a}
    sed -f script.sed {a}
    jq . {a}
    jq --arg x {a} '.[$x]' {b}
    jq -r --argjson x {a} '.y' file
    jq -f program.jq {a}
    grep {a} {b}
    grep -e {a} -c {b}
    psql -d {a} -f query.sql
    psql -v x={a} -f query.sql
    psql -c 'select 1' {a}
    mysql -u {b} -p{a} -e 'select 1'
    sqlite3 {a} 'select 1'
    gdb -batch -ex run --args program {a}
    vim {a}
    make -C {a} -j {b} target
    env X={a} program {b}
    env -u {a} program
    sudo -u {a} program {b}
    timeout {a} program {b}
    flock {a} program {b}
    flock {a} grep -c {b}
    xargs -a {a} program
    docker run --rm -v {a}:/data image convert {b}
    docker run image sh -c 'cat "$1"' _ {a}
    kubectl exec {a} -- cat {b}
    git -C {a} log {b}
    git -c user.name={a} commit -m {b}
    git clean -x {a}
    tar -czf {a} -C {b} .
    tar -xf {a}
    curl -fsS -o out/{a}.pdf https://host/{b:url}
    convert {a} -resize 320x {a.}.webp
    su {a} -c id
    script -qec 'cat x' {a}
    watch -n {a} date
    watch -x cat {a}
    split -b 1M {a} {b}
    sort -t , -k 2 {a}
    tmux kill-session -t {a}
    {a} {b}
    echo ssh -c {a}
    fish -c 'echo $argv' {a}
    pwsh -ExecutionPolicy Bypass -File x.ps1 {a}
    nc {a} {b}
    redis-cli set {a} {b}
    sed -i '' s/x/y/ {a}
    bash -c 'bash -c "echo \"\$1\"" _ {a:q}'
    bash -c "psql -c 'select 1; select 2' {a:q}"
    ncat {a} {b}
    pip install -c {a} python
    gcloud compute ssh {a} --zone {b}
    curl -H 'X: {a}' -d '{{"x": {a:json}}}' https://host/
""")


@pytest.mark.parametrize("options", SHELL_OPTIONS)
def test_the_script_of_a_shell_takes_no_value_without_quotes(options: str) -> None:
    for script in ("{a}", "'echo {a}'", "'echo {a:json}'", "'echo \"{a}\"'", "'echo {c:q}'", "'x {b:q} {a}'"):
        with pytest.raises(UsageError, match="run values as shell text") as caught:
            judge(f"{options} {script}")
        assert ":q}" in str(caught.value.hint)
        assert "--shell" in str(caught.value.hint)
    judge(f"{options} 'echo {{a:q}} {{b/.:q}} {{c:q:q}} {{1:q}} {{#}} https://host/{{a:url}}'")
    judge(f"{options} 'echo \"$1\"' _ {{a}} -c {{b}}")


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapper_hides_nothing(wrapper: str) -> None:
    ends = " \\;" if wrapper.endswith("-exec") else ""
    for options in ("bash -c", "/bin/dash -euo pipefail -c", "python3 -c", "perl -ne"):
        with pytest.raises(UsageError):
            judge(f"{wrapper} {options} 'x {{a}}'{ends}")
    judge(f"{wrapper} bash -c 'x {{a:q}}'{ends}")
    judge(f"{wrapper} bash -c 'x \"$1\"' _ {{a}}{ends}")
    judge(f"{wrapper} cat {{a}}{ends}")


@pytest.mark.parametrize("command", SHELL_TEXTS)
def test_shell_text_elsewhere_takes_quoted_values_only(command: str) -> None:
    for value in ("{a}", "{a:json}", "{c:q}", "{a.}"):
        with pytest.raises(UsageError, match="run values as shell text"):
            judge(command.replace("%s", value))
    for value in ("{a:q}", "x{a:q}y", "{a/:q}", "{a:url}", "{#}", "fixed"):
        judge(command.replace("%s", value))


@pytest.mark.parametrize("command", NEVER)
def test_what_no_quotes_of_ours_can_make_right_is_refused(command: str) -> None:
    with pytest.raises(UsageError):
        judge(command)
    judge(re.sub(r"\{a(:q|:json)?\}", "{a:url}", command))


@pytest.mark.parametrize("command", HARMLESS)
def test_values_that_nothing_evaluates_are_not_refused(command: str) -> None:
    judge(command)


#: Where in a script ``{a:q}`` may stand, and where its quotes would not hold.
PLACES = [
    ("echo {a:q}", True),
    ("echo x{a:q}y 'single' \"double\"", True),
    ('v={a:q}; echo "$v" $(cat {a:q})', True),
    ('echo "$(cat {a:q})"', True),
    ("cat <<< {a:q}", True),
    ("cat > {a:q}", True),
    ("( cd {a:q} && ls )", True),
    ("for x in {a:q} {b:q}; do echo $x; done", True),
    ("case {a:q} in x) echo {b:q};; esac", True),
    ("echo # a comment\necho {a:q}", True),
    ("echo $# {a:q}", True),
    ("echo 'it'\\''s' {a:q}", True),
    ("echo ${{x}} {a:q}", True),
    ("if [ {a:q} = x ]; then echo; fi", True),
    ('echo "{a:q}"', False),
    ("echo '{a:q}'", False),
    ("echo $'{a:q}'", False),
    ("echo ${a:q}", False),
    ("echo \\{a:q}", False),
    ("echo `cat {a:q}`", False),
    ("echo ${{x:-{a:q}}}", False),
    ("echo $(( {a:q} ))", False),
    ("echo $[ {a:q} ]", False),
    ("(( x = {a:q} ))", False),
    ("[[ {a:q} -eq 1 ]]", False),
    ("x[{a:q}]=1", False),
    ("echo # {a:q}", False),
    ("echo x;# {a:q}", False),
    ("cat <<END\n{a:q}\nEND", False),
    ('echo "$(echo "{a:q}")"', False),
    ('echo "a $(echo b) {a:q}"', False),
    ("echo ${{x:-\"}}\"}} '{a:q}'", False),
    ("echo $(( ')' )) '{a:q}'", False),
    ("x=$(case y in z) echo;; esac; echo {a:q})", False),
    ("echo $[\n # ] {a:q}", False),
    ("[[ x # ]] {a:q}", False),
    ("echo ${{x##*/}} {a:q}", True),
    ("eval {a:q}", False),
    ("eval echo x {a:q}", False),
    ("sh -c {a:q}", False),
    ("echo x | ssh host cat {a:q}", False),
    ("sudo -u x python3 -c {a:q}", False),
    ("sed {a:q} file", False),
]


@pytest.mark.parametrize(("script", "holds"), PLACES)
def test_quotes_of_a_value_hold_only_outside_of_others(script: str, holds: bool) -> None:
    argv = ["bash", "-c", script]
    template = compile(argv, COLUMNS)
    if holds:
        check_scripts(argv, template.arguments)
    else:
        with pytest.raises(UsageError):
            check_scripts(argv, template.arguments)


LITERALS = [
    ("python3", "-c", "print({a:json})", True),
    ("python3", "-c", "x = [{a:json}, {b:json}]  # it's", True),
    ("python3", "-c", 'print(\'x\', {a:json}, """y\'""")', True),
    ("python3", "-Ic", "print({a:json})", True),
    ("python3", "-c", "print({a:q})", False),
    ("python3", "-c", "print('{a:json}')", False),
    ("python3", "-c", 'print("{a:json}")', False),
    ("python3", "-c", "print('''{a:json}''')", False),
    ("python3", "-c", "# {a:json}", False),
    ("python3", "-c", "print(f{a:json})", False),
    ("python3", "-c", "print({a:json}{b:json})", False),
    ("python3", "-c", '"]{a:json}]{a:json}\\', False),
    ("python3", "-c", "'''x {a:json}\\", False),
    ("node", "-e", '"]{a:json}]\\', False),
    ("python3", "-c", "print(''{a:json})", False),
    ("python3", "-c", 'print({a:json}"")', False),
    ("node", "-e", "console.log({a:json})", True),
    ("node", "--eval=console.log('x', {a:json})", "x", True),
    ("node", "-pe", "{a:json}", True),
    ("node", "-e", "console.log('{a:json}')", False),
    ("node", "-e", "console.log(`{a:json}`)", False),
    ("node", "-e", 'x = /"/; y = {a:json}', False),
    ("node", "-e", "// {a:json}", False),
    ("jq", "-r", ".[{a:json}]", True),
    ("jq", "-r", '.x | test("y") | {a:json}', True),
    ("jq", "-r", '"x {a:json}"', False),
    ("jq", "-r", '"\\(1) " | {a:json}', False),
    ("jq", "-r", "# {a:json}", False),
    ("jq", "-r", ".[{a}]", False),
]


@pytest.mark.parametrize(("program", "option", "text", "holds"), LITERALS)
def test_json_is_a_literal_outside_of_strings_and_comments(program: str, option: str, text: str, holds: bool) -> None:
    argv = [program, option, text]
    template = compile(argv, COLUMNS)
    if holds:
        check_scripts(argv, template.arguments)
    else:
        with pytest.raises(UsageError):
            check_scripts(argv, template.arguments)


@pytest.mark.parametrize("command", ["bash -c", "ssh host cat", "watch cat", "sqlite3 db", "parallel", "python3 -c"])
def test_a_line_that_would_be_appended_to_evaluated_words_is_refused(command: str) -> None:
    with pytest.raises(UsageError):
        judge(command, None)


@pytest.mark.parametrize(
    "command", ["bash -c 'echo \"$1\"' _", "ssh", "sed s/x/y/", "awk '{{print}}'", "jq .", "wc -l"]
)
def test_a_line_that_is_appended_elsewhere_is_an_argument(command: str) -> None:
    judge(command, None)


def test_every_row_of_the_table_is_read_without_trouble() -> None:
    words = ["-c", "-e", "x", "--command", "--", "-", "--eval=1", "-abc", "", "{a}", ";", "+x", "A=1", "--arg"]
    for name in [*PROGRAMS, *POSIX_SHELLS.split(), "env", "find", "git", "make", "socat", "deno", "capsh", "pwsh"]:
        for length in range(len(words)):
            found = list(evaluated([name, *words[length:], *words[:length]]))
            assert all(0 <= at <= len(words) + 1 for each in found for at in each.words)


def test_a_message_says_what_to_write() -> None:
    with pytest.raises(UsageError) as caught:
        judge("bash -euo pipefail -c 'echo {a}'")
    assert caught.value.message == "a placeholder in the text of bash -c would run values as shell text"
    assert caught.value.hint == ("write {a:q}, or pass it as an argument: bash -c 'echo \"$1\"' _ {a}, or use --shell")


#: What may stand around a value in a script, in any order: most of it makes no sense, and none of it may run a value.
SHELL_PARTS = [
    *("'", '"', "\\", "`", "$", "$(", ")", "(", "{{", "}}", "${{x", "${{x:-", "[[ ", " ]]", "((", "))", "$((", "#"),
    *(" # ", "\n", " ", ";", "echo ", "x", "$'", "case a in a) echo;; esac", "<<E\n", "E\n", "|", "&", "v=", "[", "]"),
    *("<<<", " && ", "eval ", *["{a:q}"] * 4),
]
SHELL_VALUES = [
    "$(echo RAN>&2)",
    "`echo RAN>&2`",
    "';echo RAN>&2;'",
    '";echo RAN>&2;"',
    "\n echo RAN>&2\n",
    "\\';echo RAN>&2;#",
]
PYTHON_PARTS = [
    *("'", '"', "'''", '"""', "\\", "f", "r", "b", "#", "\n", " ", "(", ")", "[", "]", "{{", "}}", "print(", "x=", "1"),
    *(",", "+", "f'", 'f"{{', '}}"', *["{a:json}"] * 4),
]
PYTHON_VALUES = [
    "'+ran()+'",
    '"+ran()+"',
    "{ran()}",
    "\nran()\n",
    "'''+ran()#",
    '"""+ran()#',
    '\\"+ran()#',
    "\\",
    "'",
    "",
    "}ran()",
]


def accepted(chance: random.Random, parts: list[str], program: str) -> Iterator[Template]:
    """Templates of random scripts that hold a value and are not refused."""
    while True:
        script = "".join(chance.choice(parts) for _ in range(chance.randint(2, 9)))
        with contextlib.suppress(UsageError):
            template = compile([program, "-c", script], COLUMNS)
            check_scripts([program, "-c", script], template.arguments)
            if template.fields:
                yield template


def test_no_value_runs_in_a_shell_script_that_is_accepted(tmp_path: Path) -> None:
    chance = random.Random(12)
    for template in itertools.islice(accepted(chance, SHELL_PARTS, "bash"), 150):
        value = chance.choice(SHELL_VALUES).encode()
        script = template.render([value] * 3, 1)[2]
        done = subprocess.run(
            [b"bash", b"-c", script], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        )
        assert b"RAN" not in [line.strip() for line in done.stderr.splitlines()], script


def test_no_value_runs_in_python_that_is_accepted() -> None:
    chance, ran = random.Random(12), []
    for template in itertools.islice(accepted(chance, PYTHON_PARTS, "python3"), 600):
        code = template.render([chance.choice(PYTHON_VALUES).encode()] * 3, 1)[2].decode()
        with warnings.catch_warnings(), contextlib.redirect_stdout(None), contextlib.suppress(Exception):
            warnings.simplefilter("ignore")
            exec(code, {"ran": functools.partial(ran.append, code)})
    assert ran == []


#: Texts of ``--shell`` in which a command would evaluate a value. Ends of lines are written as ~.
NESTED = lines(r"""
    bash -c "echo {x}"
    ssh host "cat {x}"
    ssh host cat {x}
    ssh {id} uptime {x}
    if true; then ssh h cat {x}; fi
    eval "echo {x}"
    eval {x}
    trap "rm -f {x}" EXIT; prog
    echo "$(ssh h "cat {x}")"
    x=$(ssh h "cat {x}")
    python -c "print('{x}')"
    psql -c "select '{x}'"
    awk "/{x}/" f
    sed "s/{x}/a/" f
    sed -i s/{x}/a/ f
    find . -exec sh -c "echo {x}" \;
    cat f | xargs -I% sh -c "echo % {x}"
    sudo bash -lc "cd {x}"
    timeout 5 bash -c "cd {x}"
    cd /a && bash -c "cd {x}"
    docker exec c sh -c "cat {x}"
    kubectl exec p -- sh -c "cat {x}"
    A=1 bash -c "cd {x}" > out 2>&1
    for i in 1 2; do bash -c "cd {x}"; done
    while read l; do ssh h "cat {x}"; done < f
    su - u -c "cat {x}"
    bash -c "cat '{x:q}'"
    bash -c "cat $(ssh h {x})"
    perl -pe "s/{x}/y/" f
    jq ".a == \"{x}\"" f
    # don't~ssh h cat {x}~# can't
    printf -v {x} a
    let a={x}
    declare -i a={x}
    f() {{ ssh h cat {x}; }}; f
    >log ssh h cat {x}
    2>/dev/null nice ssh h cat {x}
    ! ssh h cat {x}
    exec ssh h cat {x}
    test -v {x}
    read {x}
    python3 -m timeit "f({x})"
    docker run --entrypoint sh img -c "cat {x}"
""")
PLAIN = lines(r"""
    bash -c "cat {x:q}"
    ssh host "cat {x:q} | wc"
    ssh host cat {x:q}
    ssh {x} uptime
    ssh "u@{x}" "df -h"
    trap "rm -f {x:q}" EXIT
    ssh h "cat $(printf %s {x:q})"
    sh -c 'prog "$1"' _ {x}
    prog {x} | tee {id}.log
    export A={x}; prog
    read a b < {x}; echo "$a"
    curl -d '{"id": 1}' http://h/{x}
    echo "ssh to {x} failed" >&2
    python x.py {x} && echo "python done {x}"
    awk '{print $1}' {x} | sort > {id}.txt
    sed 's/a/b/' {x} > {id}
    jq --arg x {x} '.a==$x' f
    psql -v v={x} -f a.sql
    if [ -f {x} ]; then echo {id}; fi
    set -e; cd {x}; make -j2; cd ..
    find {x} -name '*.tmp' -delete
    for f in {x}/*; do gzip "$f"; done
    gzip -c {x} > {x}.gz && mv {x}.gz out/
    docker run --rm -v "$PWD:/d" img prog {x}
    echo {x} >> ran
    sleep 1; echo {x}; exit 3
    [ {x} = a ] || exit 1
    test {x} -gt 3
    local x={x}; y={id}; echo "$x"
    export X={x}; prog
    unset FOO; prog {x}
    read -r a < f; prog {x}
    git -C {x} pull
    cat {x} | ssh h "cat > /d/{id:q}"
    tar czf - {x} | ssh h 'tar xzf - -C /d'
    ffmpeg -i {x} -vf "scale=1:2" {id}.mp4 2>&1 | tail -1
    case {x} in a*) echo 1;; *) echo 2;; esac
    perl -pe 's/a/b/' {x}
    awk -v v={x} '{{print v}}' f > {id}
""")


def judge_shell(text: str) -> None:
    make_handler((), text.replace("~", "\n"), "csv", ["x", "id"])


@pytest.mark.parametrize("text", NESTED)
def test_a_command_in_a_text_of_shell_evaluates_no_value(text: str) -> None:
    with pytest.raises(UsageError, match=r"would run values as|cannot stand"):
        judge_shell(text)


@pytest.mark.parametrize("text", PLAIN)
def test_what_evaluates_nothing_or_is_quoted_for_it_may_stand_in_a_text_of_shell(text: str) -> None:
    judge_shell(text)


def test_a_value_that_is_quoted_for_the_inner_shell_arrives_as_it_is(tmp_path: Path) -> None:
    value = "'; echo PWNED; $(echo PWNED) `echo PWNED`\n\"x"
    handler = make_handler((), 'bash -c "printf %s {x:q}"', "csv", ["x"])
    dispatch = handler.dispatch(1, 1, 1, value.encode())
    environment = dict(entry.split(b"=", 1) for entry in dispatch.env)
    ran = subprocess.run(dispatch.argv, env=environment | {b"PATH": b"/usr/bin:/bin"}, capture_output=True, check=True)
    assert ran.stdout.decode() == value


#: After a shell has read these, another program evaluates the value, whatever is before the command.
AGAIN = lines(r"""
    echo "$(ssh h cat {a:q})"
    if true; then ssh h cat {a:q}; fi
    for i in 1; do ssh h cat {a:q}; done
    {{ ssh h cat {a:q}; }}
    ! ssh h cat {a:q}
    exec ssh h cat {a:q}
    command ssh h cat {a:q}
    A=1 ssh h cat {a:q}
    2>/dev/null ssh h cat {a:q}
    coproc ssh h cat {a:q}
    trap {a:q} EXIT
    let v={a:q}
    declare -i v={a:q}
    printf -v {a:q} x
    unset {a:q}
    parallel ::: {a:q}
""")


@pytest.mark.parametrize("text", AGAIN)
def test_quotes_that_a_shell_removes_protect_nothing_behind_it(text: str) -> None:
    with pytest.raises(UsageError, match="evaluates it once more"):
        judge(f"bash -c {shlex.quote(text)}")


@pytest.mark.parametrize(
    "command",
    [
        "python -m timeit 'f({a})'",
        "python3 -Im timeit -s 'x={a}' pass",
        "python -m pdb -c 'p {a}' f.py",
        "docker run --entrypoint sh img -c 'echo {a}'",
        "podman run --rm --entrypoint=/bin/bash -v a:b img -c 'echo {a}'",
        "parallel ::: 'echo {a}'",
        "bsub -q normal echo {a}",
        "heroku run 'echo {a}'",
        "aws ssm send-command --parameters 'commands=[\"echo {a}\"]'",
    ],
)
def test_programs_that_run_a_text_in_less_known_ways(command: str) -> None:
    with pytest.raises(UsageError, match="would run values"):
        judge(command)


@pytest.mark.parametrize("test", ["[[ -n $A ]]", '[[ "$A" == x ]]', '[[ "$A" = "a b" && -f "x.y" ]]', "(($n > 1))"])
def test_a_simple_test_before_it_leaves_quotes_sure(test: str) -> None:
    judge(f"bash -c {shlex.quote(test + ' && prog {a:q}')}")
