"""The programs that evaluate an argument: shells, languages, databases, and those that run a command elsewhere.

``PROGRAMS`` is the one table. A row describes the words of a program: the options that take a value, the options whose
value is evaluated, and the words after the options. ``domain.evaluated_words`` reads a command by it.

A program that is not in the table evaluates nothing as far as we know. If the meaning of a word is uncertain, the table
calls it evaluated. A value is then refused there unless it is quoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

#: The reader of a text: a POSIX shell, a shell of another syntax, Python, JavaScript, jq, or any other program.
SHELL, OTHER_SHELL, PYTHON, JAVASCRIPT, JQ, CODE = "shell", "other shell", "python", "javascript", "jq", "code"

#: The meaning of the words after the options: a command, words that a shell joins to one text, the text of a program,
#: one text in each word, words among which a command begins, or words that are not evaluated.
COMMAND, JOINED, FIRST, EACH, SOMEWHERE, NOTHING = "command", "joined", "first", "each", "somewhere", ""


class EvaluatorProgram(NamedTuple):
    """The syntax of a program's words. Options are written as ``c``, ``--command`` or, with one dash, ``-eval``."""

    texts: Mapping[str, str] = {}
    takes: frozenset[str] = frozenset()  # other options with a value
    skip: int = 0  # operands before those that ``rest`` describes
    rest: str = NOTHING
    kind: str = CODE  # of the operands
    mixed: bool = False  # options may follow operands
    last: frozenset[str] = frozenset()  # options after which all words are for the script
    off: frozenset[str] = frozenset()  # options with which the operands are not program text, as awk -f
    clings: frozenset[str] = frozenset()  # letters whose value must be in the same word, as perl -i.bak
    pairs: frozenset[str] = frozenset()  # options with two values, as jq --arg


def _program(
    texts: str = "", takes: str = "", kind: str = CODE, *, skip: int = 0, rest: str = NOTHING, **more: object
) -> EvaluatorProgram:
    options = dict.fromkeys(texts.split(), kind)
    sets = [frozenset(str(more.get(name, "")).split()) for name in ("last", "off", "clings", "pairs")]
    return EvaluatorProgram(options, frozenset(takes.split()), skip, rest, kind, bool(more.get("mixed")), *sets)


def _wrapper(takes: str = "", skip: int = 0) -> EvaluatorProgram:
    return _program("", takes, SHELL, skip=skip, rest=COMMAND)


_SSH = _program("", "B b c D E e F I i J L l m O o p P Q R S W w", SHELL, skip=1, rest=JOINED)
_PERL = _program("e E M m", "I", clings="F x D d V i")
_AWK = _program(
    "e --source", "F v f i l E --field-separator --assign --file --exec", rest=FIRST, off="f --file E --exec e --source"
)
_PARALLEL = (
    "j P a S n N L I d E s --jobs --arg-file --sshlogin --sshloginfile --joblog --results --delay --timeout --retries"
    " --colsep --delimiter --max-args --tmpdir --wd --workdir --env --halt --load --memfree --tagstring --id"
    " --semaphorename"
)
_SED = _program(
    "e --expression",
    "f l --file --line-length",
    rest=FIRST,
    mixed=True,
    off="e --expression f --file",
    clings="i",
)
_JQ = _program(
    "",
    "f L --from-file --indent",
    JQ,
    rest=FIRST,
    mixed=True,
    off="f --from-file",
    pairs="--arg --argjson --slurpfile --rawfile",
)
_VI = _program("c --cmd", "i o O p s S t T u U w W", mixed=True)
RUNUSER = _wrapper("u g G w --user --group --supp-group")
POSIX_SHELLS = "sh bash dash zsh ksh mksh ash yash posh lksh pdksh oksh rbash rksh hush ksh93 loksh"
OTHER_SHELLS = "fish csh tcsh nu elvish xonsh rc es"
_RUNNERS = """
    docker podman nerdctl kubectl oc lxc lxc-attach incus apptainer singularity flatpak distrobox toolbox machinectl
    systemd-nspawn srun salloc mpirun mpiexec qsub bsub conda mamba micromamba poetry pipenv uv uvx pdm hatch rye pnpm
    yarn bundle direnv bwrap firejail proot aws-vault op doppler chamber dotenv perf valgrind nsjail ip
    docker-compose podman-compose crun runc buildah toolbx kubectx orb limactl multipass heroku
"""

#: By name, without path and version.
PROGRAMS: dict[str, EvaluatorProgram] = {
    # Wrappers: the command that they start is read with its own row.
    "nice": _wrapper("n --adjustment"),
    "ionice": _wrapper("c n p P u --class --classdata"),
    "timeout": _wrapper("k s --kill-after --signal", skip=1),
    "nohup": _wrapper(),
    "setsid": _wrapper(),
    "stdbuf": _wrapper("i o e --input --output --error"),
    "time": _wrapper("f o --format --output"),
    "taskset": _wrapper(skip=1),
    "chrt": _wrapper("T P D", skip=1),
    "numactl": _wrapper("i N C m p P w"),
    "xvfb-run": _wrapper("e f n p s w --error-file --auth-file --server-num --server-args --wait"),
    "unshare": _wrapper("S G R w --setuid --setgid --root --wd"),
    "nsenter": _wrapper("t S G --target --setuid --setgid"),
    "chroot": _wrapper("--userspec --groups", skip=1),
    "doas": _wrapper("u C a"),
    "sudo": _wrapper(
        "u g h p C D R T U r t --user --group --host --prompt --chdir --chroot --close-from --type --role"
    ),
    "pkexec": _wrapper("--user"),
    "setpriv": _wrapper(
        "--reuid --regid --groups --inh-caps --ambient-caps --bounding-set --securebits --pdeathsig"
        " --selinux-label --apparmor-profile"
    ),
    "prlimit": _wrapper("p o --pid --output"),
    "strace": _wrapper("a b e E I O o P p s S u U X"),
    "ltrace": _wrapper("a A D e F l n o p s u w x"),
    "gosu": _wrapper(skip=1),
    "su-exec": _wrapper(skip=1),
    "setuidgid": _wrapper(skip=1),
    "chpst": _wrapper("u U b / C n l L m d o p f c P"),
    "softlimit": _wrapper("a c d f l m o p r s t"),
    "cpulimit": _wrapper("l p e --limit --pid --exe"),
    "cgexec": _wrapper("g"),
    "faketime": _wrapper("f --exclude-monotonic", skip=1),
    "eatmydata": _wrapper(),
    "fakeroot": _wrapper("l s i b"),
    "tini": _wrapper("p e"),
    "dumb-init": _wrapper(),
    "catchsegv": _wrapper(),
    "chronic": _wrapper(),
    "unbuffer": _wrapper(),
    "torsocks": _wrapper(),
    "proxychains": _wrapper("f"),
    "rlwrap": _wrapper("a b C D f H l m M N O p P q s S t w z"),
    "sshpass": _wrapper("p f d P"),
    "systemd-run": _wrapper(
        "p u E H M --unit --property --setenv --description --slice --uid --gid --nice --service-type --on-calendar"
        " --on-active --working-directory --host --machine"
    ),
    "systemd-inhibit": _wrapper("--what --who --why --mode"),
    "systemd-cat": _wrapper("t p --identifier --priority"),
    "dbus-run-session": _wrapper("--config-file --dbus-daemon"),
    "dbus-launch": _wrapper(),
    "caffeinate": _wrapper("t w"),
    "xargs": _wrapper(
        "a d E I L n P s --arg-file --delimiter --max-lines --max-args --max-procs --max-chars --replace"
    ),
    "entr": _program("s", "", SHELL, rest=COMMAND),
    "busybox": _wrapper(),
    "toybox": _wrapper(),
    "flock": _program("c --command", "w E --timeout --wait --conflict-exit-code", SHELL, skip=1, rest=COMMAND),
    "setlock": _wrapper(skip=1),
    "sg": _program("c", "", SHELL, skip=1, rest=JOINED),
    **dict.fromkeys(_RUNNERS.split(), _program("", "", SHELL, rest=SOMEWHERE)),
    "npm": _program("c --call", "", SHELL, rest=SOMEWHERE, mixed=True),
    "npx": _program("c --call", "p --package", SHELL, rest=SOMEWHERE, mixed=True),
    "nix-shell": _program("--run --command", "p E A I --arg --argstr", SHELL, mixed=True),
    "gcloud": _program("--command", "", SHELL, mixed=True),
    "vagrant": _program("c --command", "", SHELL, mixed=True),
    "fly": _program("C --command", "", SHELL, mixed=True),
    "flyctl": _program("C --command", "", SHELL, mixed=True),
    # A shell makes one text of their words, here or on another machine.
    "ssh": _SSH,
    "autossh": _SSH._replace(takes=_SSH.takes | {"M"}),
    "rsh": _SSH,
    "remsh": _SSH,
    "slogin": _SSH,
    "dbclient": _SSH,
    "plink": _program("", "P l i m pw -pw -hostkey", SHELL, skip=1, rest=JOINED),
    "mosh": _program("--ssh --server --client", "p --port", skip=1, rest=COMMAND),
    "pdsh": _program("", "w x g G l f t u R M", SHELL, rest=JOINED),
    "clush": _program("", "w x g X l f t u o O", SHELL, rest=JOINED),
    "pssh": _program("", "h H l p o e t O x X", SHELL, rest=JOINED),
    "parallel-ssh": _program("", "h H l p o e t O x X", SHELL, rest=JOINED),
    "watch": _program("", "n q --interval --equexit", SHELL, rest=JOINED, off="x --exec"),
    "parallel": _program("", _PARALLEL, rest=JOINED),  # it evaluates {= =} of Perl, also inside of quotes
    "sem": _program("", _PARALLEL, rest=JOINED),
    "hyperfine": _program("p c s --prepare --cleanup --setup", "w m M r P n D", SHELL, rest=EACH, mixed=True),
    "su": _program("c --command --session-command", "s g G w --shell --group --supp-group", SHELL, mixed=True),
    "script": _program("c --command", "E I O B T m o --log-in --log-out --log-io", SHELL, mixed=True),
    "sbatch": _program("--wrap", "J n N c p t A o e D --job-name", SHELL),
    "xterm": _program("e", "T -fn -fa -fs -bg -fg -geometry -title"),
    "split": _program("--filter", "a b C l n t", SHELL, mixed=True),
    "tar": _program(
        "I F --to-command --use-compress-program --rsh-command --info-script --new-volume-script --checkpoint-action",
        "f C b T X --file --directory",
        mixed=True,
    ),
    "zip": _program("-TT --unzip-command", "", mixed=True),
    "rsync": _program(
        "e --rsh --rsync-path", "f T M B --filter --exclude --include --files-from --temp-dir", mixed=True
    ),
    "scp": _program("S", "c D F i J l o P X", mixed=True),
    "sftp": _program("S", "B b c D F i J l o P R s X", mixed=True),
    "nc": _program("e --sh-exec --exec", "p s w i q x X", mixed=True),
    "ncat": _program("c e --sh-exec --exec --lua-exec", "p s w i", mixed=True),
    "sort": _program("--compress-program", "k t o S T", mixed=True),
    "man": _program("P --pager H --html", "", mixed=True),
    "tmux": _program("", "t s n c x y L S f", rest=EACH, mixed=True),
    "screen": _program("", "S c e h p s T t", SHELL, rest=COMMAND),
    "expect": _program("c", "f"),
    "ansible-playbook": _program("e --extra-vars", "i l t u f --limit --tags --inventory", mixed=True),
    "ansible": _program("a --args e --extra-vars", "i m u f", mixed=True),
    # Languages.
    "python": _program("c", "W X m", PYTHON, last="c m"),
    "pypy": _program("c", "W X m", PYTHON, last="c m"),
    "ipython": _program("c", "m", PYTHON, mixed=True),
    "perl": _PERL,
    "ruby": _program("e", "I r C E", clings="x F K T W i"),
    "node": _program("e p --eval --print -pe", "r C --require --import --env-file", JAVASCRIPT),
    **dict.fromkeys(("tsx", "ts-node"), _program("e p --eval --print -pe", "r P --require --project", JAVASCRIPT)),
    "nodejs": _program("e p --eval --print -pe", "r C --require --import --env-file", JAVASCRIPT),
    "bun": _program("e p --eval --print", "r", JAVASCRIPT, mixed=True),
    "deno": _program("", "", JAVASCRIPT),
    "qjs": _program("e --eval", "", JAVASCRIPT),
    "php": _program("r B R E F --run --process-begin --process-code --process-end", "c d f S t z"),
    "lua": _program("e", "l"),
    "luajit": _program("e", "l"),
    "Rscript": _program("e", ""),
    "R": _program("e", "f d g", mixed=True),
    "julia": _program("e E --eval --print", "L J C p t"),
    "elixir": _program("e --eval", "r S"),
    "erl": _program("-eval -s -run", "-name -sname -pa", mixed=True),
    "ghc": _program("e", "", mixed=True),
    "groovy": _program("e", ""),
    "scala": _program("e", ""),
    "clojure": _program("e --eval", "", mixed=True),
    "clj": _program("e --eval", "", mixed=True),
    "bb": _program("e --eval", ""),
    "racket": _program("e --eval", "t l f r"),
    "guile": _program("c e", "s l L"),
    "sbcl": _program("--eval", "--load --script", mixed=True),
    "emacs": _program("--eval --execute -eval -execute f --funcall -funcall", "l --load -load", mixed=True),
    "octave": _program("--eval", "p --path", mixed=True),
    "matlab": _program("r -r -batch", "", mixed=True),
    "gnuplot": _program("e", "", mixed=True),
    "ocaml": _program("e", "I"),
    "swipl": _program("g t", "l f s", mixed=True),
    "dc": _program("e --expression", "f --file"),
    "bc": _program("e --expression", "f --file"),
    "raku": _program("e", "I M"),
    "sage": _program("c", ""),
    "nix": _program("--expr --apply", "", SHELL, rest=SOMEWHERE, mixed=True)._replace(
        texts={"--expr": CODE, "--apply": CODE}
    ),
    "nix-instantiate": _program("E --expr", "", mixed=True),
    "nix-build": _program("E --expr", "", mixed=True),
    "blender": _program("--python-expr", "", mixed=True),
    "osascript": _program("e", "l", mixed=True),
    "awk": _AWK,
    "gawk": _AWK,
    "mawk": _AWK,
    "nawk": _AWK,
    "goawk": _AWK,
    "original-awk": _AWK,
    "sed": _SED,
    "gsed": _SED,
    "jq": _JQ,
    "gojq": _JQ,
    "jaq": _JQ,
    "yq": _program("", "f L I o p --from-file --indent", rest=FIRST, mixed=True, off="f --from-file"),
    "mlr": _program("e", "", mixed=True),
    # Databases, debuggers, editors.
    "psql": _program("c --command", "v d f h p U F L o P R T --set --variable", mixed=True),
    "mysql": _program("e --execute", "D h P S u --database --host --port --user", mixed=True),
    "mariadb": _program("e --execute", "D h P S u --database --host --port --user", mixed=True),
    "sqlite": _program("-cmd --cmd", "-separator -nullvalue -init -mmap -newline", skip=1, rest=EACH, mixed=True),
    "sqlite3": _program("-cmd --cmd", "-separator -nullvalue -init -mmap -newline", skip=1, rest=EACH, mixed=True),
    "duckdb": _program("c s -c -s -cmd", "-separator -nullvalue -init", skip=1, rest=EACH, mixed=True),
    "clickhouse-client": _program("q --query", "h u d", mixed=True),
    "clickhouse": _program("q --query", "h u d", mixed=True),
    "sqlcmd": _program("Q q v", "S U P d i o", mixed=True),
    "cqlsh": _program("e --execute", "u p k f", mixed=True),
    "mongosh": _program("--eval", "u p", mixed=True),
    "mongo": _program("--eval", "u p", mixed=True),
    "snowsql": _program("q --query", "a u d s", mixed=True),
    "trino": _program("--execute", "", mixed=True),
    **dict.fromkeys(["hive", "beeline", "spark-sql", "presto"], _program("e --execute", "f u n p", mixed=True)),
    "influx": _program("-execute", "", mixed=True),
    "gdb": _program("-ex -iex -eval-command -init-eval-command --ex --eval-command", "x s e c p d", mixed=True),
    "lldb": _program("o O k K --one-line --one-line-before-file", "n p s S c", mixed=True),
    **dict.fromkeys(["vi", "vim", "nvim", "view", "ex", "gvim", "vimdiff", "rvim"], _VI),
}
