"""Last lines that real programs write when they fail: the words of which name the cause."""

# ruff: noqa: E501 - lines are as long as programs write them

import pytest

from jobctl.domain.cause import MESSAGE_LIMIT
from tests.domain.failure_messages import text_in_output

#: (program, stderr, stdout, the words)
TAILS = [
    ("octave", "error: 'x' undefined\nerror: called from\n    f at line 3 column 5\n", "", "error: 'x' undefined"),
    (
        "tesseract",
        "Error, cannot read input file x.png\nError during processing.\n",
        "",
        "Error, cannot read input file x.png",
    ),
    ("srun", "x: cannot open 'y'\nsrun: error: node7: task 0: Exited with exit code 2\n", "", "x: cannot open 'y'"),
    (
        "yarn",
        'error Command "foo" not found.\ninfo Visit https://yarnpkg.com/ for it.\n',
        "",
        'error Command "foo" not found.',
    ),
    (
        "gatk",
        "A USER ERROR has occurred: Couldn't read file x.bam.\nSet the system property A to print it.\n",
        "",
        "A USER ERROR has occurred: Couldn't read file x.bam.",
    ),
]
TAILS += [
    (
        "typer-box",
        "Usage: app [OPTIONS]\nTry 'app --help' for help.\n╭─ Error ──────────────────╮\n│ No such option: --x      │\n╰──────────────────────────╯\n",
        "",
        "No such option: --x",
    ),
    (
        "rich-traceback",
        "╭──── Traceback (most recent call last) ────╮\n│ /x/y.py:3 in main                         │\n│ ❱ 2     raise ValueError('bad row')       │\n╰───────────────────────────────────────────╯\nValueError: bad row\n",
        "",
        "ValueError: bad row",
    ),
    (
        "page-of-a-proxy",
        "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n<center><h1>502 Bad Gateway</h1></center>\n<hr><center>nginx</center>\n</body>\n</html>\n",
        "",
        "502 Bad Gateway",
    ),
    (
        "pydantic",
        "Traceback (most recent call last):\n  File \"x.py\", line 3, in <module>\n    M(x='a')\npydantic_core._pydantic_core.ValidationError: 1 validation error for M\nx\n  Input should be a valid integer [type=int_parsing, input_value='a', input_type=str]\n    For further information visit https://errors.pydantic.dev/2.9/v/int_parsing\n",
        "",
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for M: x: Input should be a valid integer",
    ),
    (
        "curl-status",
        "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\r  0   335    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\ncurl: (22) The requested URL returned error: 404\n",
        "",
        "curl: (22) The requested URL returned error: 404",
    ),
    (
        "curl-meter-on-the-same-line",
        "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0curl: (6) Could not resolve host: example.invalid\n",
        "",
        "curl: (6) Could not resolve host: example.invalid",
    ),
    (
        "curl-meter-of-a-transfer",
        "\r 34 1256k   34  430k    0     0  5432k      0  0:00:01  0:00:01 --:--:-- 5461kcurl: (18) transfer closed with outstanding read data remaining\n",
        "",
        "curl: (18) transfer closed with outstanding read data remaining",
    ),
    (
        "curl-refused",
        "curl: (7) Failed to connect to localhost port 9 after 0 ms: Couldn't connect to server\n",
        "",
        "curl: (7) Failed to connect to localhost port 9 after 0 ms: Couldn't connect to server",
    ),
    (
        "curl-try",
        "curl: option --foo: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
        "",
        "curl: option --foo: is unknown",
    ),
    (
        "curl-ssl",
        "curl: (60) SSL certificate problem: self-signed certificate\nMore details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and therefore could not\nestablish a secure connection to it. To learn more about this situation and\nhow to fix it, please visit the web page mentioned above.\n",
        "",
        "curl: (60) SSL certificate problem: self-signed certificate",
    ),
    (
        "wget",
        "--2026-01-01 10:00:00--  http://localhost:8000/x\nResolving localhost (localhost)... 127.0.0.1\nConnecting to localhost (localhost)|127.0.0.1|:8000... connected.\nHTTP request sent, awaiting response... 404 File not found\n2026-01-01 10:00:00 ERROR 404: File not found.\n\n",
        "",
        "ERROR 404: File not found.",
    ),
    (
        "ls",
        "ls: cannot access 'x': No such file or directory\n",
        "",
        "ls: cannot access 'x': No such file or directory",
    ),
    (
        "ls-try",
        "ls: unrecognized option '--foo'\nTry 'ls --help' for more information.\n",
        "",
        "ls: unrecognized option '--foo'",
    ),
    (
        "tar",
        "tar: x: Cannot stat: No such file or directory\ntar: Exiting with failure status due to previous errors\n",
        "",
        "tar: x: Cannot stat: No such file or directory",
    ),
    (
        "tar-gz",
        "\ngzip: stdin: not in gzip format\ntar: Child returned status 1\ntar: Error is not recoverable: exiting now\n",
        "",
        "gzip: stdin: not in gzip format",
    ),
    (
        "git-clone",
        "Cloning into 'x'...\ngit@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
        "",
        "git@github.com: Permission denied (publickey).",
    ),
    (
        "git-fatal",
        "fatal: not a git repository (or any of the parent directories): .git\n",
        "",
        "fatal: not a git repository (or any of the parent directories): .git",
    ),
    (
        "git-push",
        "To github.com:a/b.git\n ! [rejected]        main -> main (fetch first)\nerror: failed to push some refs to 'github.com:a/b.git'\nhint: Updates were rejected because the remote contains work that you do\nhint: not have locally.\n",
        "",
        "! [rejected]        main -> main (fetch first)",
    ),
    (
        "git-pathspec",
        "error: pathspec 'x' did not match any file(s) known to git\n",
        "",
        "error: pathspec 'x' did not match any file(s) known to git",
    ),
    (
        "ssh-refused",
        "ssh: connect to host b1 port 22: Connection refused\n",
        "",
        "ssh: connect to host b1 port 22: Connection refused",
    ),
    (
        "ssh-closed",
        "bash: line 1: backup: command not found\nConnection to b1 closed.\n",
        "",
        "bash: line 1: backup: command not found",
    ),
    (
        "ssh-killed",
        "client_loop: send disconnect: Broken pipe\nKilled by signal 1.\n",
        "",
        "client_loop: send disconnect: Broken pipe",
    ),
    ("scp", "scp: /x/y: No such file or directory\n", "", "scp: /x/y: No such file or directory"),
    (
        "scp-lost",
        "ssh: Could not resolve hostname b9: Name or service not known\nlost connection\n",
        "",
        "ssh: Could not resolve hostname b9: Name or service not known",
    ),
    (
        "rsync",
        'rsync: [sender] link_stat "/x" failed: No such file or directory (2)\nrsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1338) [sender=3.2.7]\n',
        "",
        'rsync: [sender] link_stat "/x" failed: No such file or directory (2)',
    ),
    (
        "psql-copy",
        'ERROR:  invalid input syntax for type integer: "abc"\nCONTEXT:  COPY t, line 152, column n: "abc"\n',
        "",
        'ERROR:  invalid input syntax for type integer: "abc"',
    ),
    (
        "psql-key",
        'ERROR:  duplicate key value violates unique constraint "t_pkey"\nDETAIL:  Key (id)=(7) already exists.\n',
        "",
        'ERROR:  duplicate key value violates unique constraint "t_pkey"',
    ),
    (
        "psql-syntax",
        'psql:x.sql:3: ERROR:  syntax error at or near "FORM"\nLINE 1: SELECT * FORM t\n                 ^\n',
        "",
        'psql:x.sql:3: ERROR:  syntax error at or near "FORM"',
    ),
    (
        "psql-hint",
        "ERROR:  function foo() does not exist\nLINE 1: SELECT foo();\n               ^\nHINT:  No function matches the given name and argument types. You might need to add explicit type casts.\n",
        "",
        "ERROR:  function foo() does not exist",
    ),
    (
        "psql-conn",
        'psql: error: connection to server at "b1" (10.0.0.1), port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n',
        "",
        'psql: error: connection to server at "b1" (10.0.0.1), port 5432 failed: Connection refused',
    ),
    (
        "psql-fatal",
        'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: FATAL:  role "x" does not exist\n',
        "",
        'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: FATAL:  role "x" does not exist',
    ),
    (
        "pg-log",
        "2018-03-10 13:39:25.151 UTC [668] ERROR:  syntax error at or near \"ASS\" at character 68\n2018-03-10 13:39:25.151 UTC [668] STATEMENT:\n\tCOPY clients.business_types (id, label) FROM stdin delimiter ',';\n",
        "",
        'ERROR:  syntax error at or near "ASS" at character 68',
    ),
    (
        "pg-german",
        "ERROR:  Syntaxfehler bei »1«\nLINE 55: 1 0 3 Braund\n         ^ \n",
        "",
        "ERROR:  Syntaxfehler bei »1«",
    ),
    (
        "mysql",
        "mysql: [Warning] Using a password on the command line interface can be insecure.\nERROR 1045 (28000): Access denied for user 'x'@'localhost' (using password: YES)\n",
        "",
        "ERROR 1045 (28000): Access denied for user 'x'@'localhost' (using password: YES)",
    ),
    (
        "mysql-at",
        "ERROR 1064 (42000) at line 1: You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near 'x' at line 1\n",
        "",
        "ERROR 1064 (42000) at line 1: You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near 'x' at line 1",
    ),
    (
        "sqlite",
        "Error: in prepare, no such table: t\n  select * from t\n                ^--- error here\n",
        "",
        "Error: in prepare, no such table: t",
    ),
    (
        "restic-lock",
        "repository d40db62f opened (version 2, compression level auto)\nFatal: unable to create lock in backend: repository is already locked by PID 38397 on host1 by root (UID 0, GID 0)\nlock was created at 2023-04-28 10:30:46 (165h32m5.88133994s ago)\nstorage ID 8ba25ed5\nthe `unlock` command can be used to remove stale locks\n",
        "",
        "Fatal: unable to create lock in backend: repository is already locked by PID 38397 on host1 by root (UID 0, GID 0)",
    ),
    (
        "restic-plain",
        "unable to create lock in backend: repository is already locked exclusively by PID 78 on h by nobody (UID 65534, GID 65534)\nlock was created at 2022-10-22 18:00:11 (144h0m0.059996167s ago)\nstorage ID 67a154bb\nthe `unlock` command can be used to remove stale locks\n",
        "",
        "unable to create lock in backend: repository is already locked exclusively by PID 78 on h by nobody (UID 65534, GID 65534)",
    ),
    (
        "restic-json",
        "",
        '{"message_type":"exit_error","code":11,"message":"Fatal: repository does not exist"}\n',
        "Fatal: repository does not exist",
    ),
    (
        "qpdf",
        "WARNING: a.pdf, object 1472 0 at offset 228700: requested value of integer is too big; returning INT_MAX\na.pdf: invalid password\n",
        "",
        "a.pdf: invalid password",
    ),
    (
        "qpdf-help",
        "a.pdf: this file is encrypted and can not be processed\n  qpdf --decrypt --password=... a.pdf b.pdf\n",
        "",
        "a.pdf: this file is encrypted and can not be processed",
    ),
    (
        "qpdf-usage",
        "qpdf: an output file name is required; use - for standard output\n\nFor help:\n  qpdf --help=usage       usage information\n  qpdf --help=topic       help on a topic\n  qpdf --help=--option    help on an option\n  qpdf --help             general help and a topic list\n\n",
        "",
        "qpdf: an output file name is required; use - for standard output",
    ),
    (
        "qpdf-warn",
        "WARNING: x.pdf: file is damaged\nWARNING: x.pdf (offset 69331): xref not found\nWARNING: x.pdf: Attempting to reconstruct cross-reference table\nqpdf: operation succeeded with warnings; resulting file may have some problems\n",
        "",
        "qpdf: operation succeeded with warnings; resulting file may have some problems",
    ),
    (
        "python",
        "Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\n    d['user_17']\n    ~^^^^^^^^^^^\nKeyError: 'user_17'\n",
        "",
        "KeyError: 'user_17'",
    ),
    (
        "python-own",
        'Traceback (most recent call last):\n  File "x.py", line 9, in <module>\n    raise QuotaGone("none left")\nmymodule.QuotaGone: none left\n',
        "",
        "mymodule.QuotaGone: none left",
    ),
    (
        "python-chain",
        'Traceback (most recent call last):\n  File "x.py", line 2, in <module>\n    1/0\nZeroDivisionError: division by zero\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File "x.py", line 4, in <module>\n    raise ValueError(\'bad\') from e\nValueError: bad\n',
        "",
        "ValueError: bad",
    ),
    (
        "python-lines",
        'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n    f()\nsqlalchemy.exc.OperationalError: (psycopg2.OperationalError) could not connect to server: Connection refused\n\tIs the server running on host "b1" and accepting\n\tTCP/IP connections on port 5432?\n\n(Background on this error at: https://sqlalche.me/e/20/e3q8)\n',
        "",
        "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) could not connect to server: Connection refused",
    ),
    (
        "python-file",
        "python3: can't open file '/x/y.py': [Errno 2] No such file or directory\n",
        "",
        "python3: can't open file '/x/y.py': [Errno 2] No such file or directory",
    ),
    ("python-module", "/usr/bin/python3: No module named foo\n", "", "/usr/bin/python3: No module named foo"),
    (
        "python-syntax",
        "  File \"x.py\", line 1\n    if x\n        ^\nSyntaxError: expected ':'\n",
        "",
        "SyntaxError: expected ':'",
    ),
    (
        "argparse",
        "usage: x.py [-h] n\nx.py: error: argument n: invalid int value: 'a'\n",
        "",
        "x.py: error: argument n: invalid int value: 'a'",
    ),
    (
        "click",
        "Usage: x [OPTIONS]\nTry 'x --help' for help.\n\nError: No such option: --foo\n",
        "",
        "Error: No such option: --foo",
    ),
    (
        "pip",
        "ERROR: Could not find a version that satisfies the requirement nosuch (from versions: none)\nERROR: No matching distribution found for nosuch\n\n[notice] A new release of pip is available: 23.0 -> 24.0\n[notice] To update, run: pip install --upgrade pip\n",
        "",
        "ERROR: No matching distribution found for nosuch",
    ),
    (
        "node",
        "/app/x.js:3\nthrow new Error('boom')\n^\n\nError: boom\n    at Object.<anonymous> (/app/x.js:3:7)\n    at Module._compile (node:internal/modules/cjs/loader:1105:14)\n\nNode.js v18.19.0\n",
        "",
        "Error: boom",
    ),
    (
        "node-module",
        "node:internal/modules/cjs/loader:1080\n  throw err;\n  ^\n\nError: Cannot find module '/app/y.js'\n    at Module._resolveFilename (node:internal/modules/cjs/loader:1077:15)\n    at node:internal/main/run_main_module:23:47 {\n  code: 'MODULE_NOT_FOUND',\n  requireStack: []\n}\n\nNode.js v18.19.0\n",
        "",
        "Error: Cannot find module '/app/y.js'",
    ),
    (
        "npm-404",
        "npm ERR! code E404\nnpm ERR! 404 Not Found - GET https://packages.example/nosuch - Not found\nnpm ERR! 404 \nnpm ERR! 404  'nosuch@*' is not in this registry.\nnpm ERR! 404 \nnpm ERR! 404 Note that you can also install from a\nnpm ERR! 404 tarball, folder, http url, or git folder.\n\nnpm ERR! A complete log of this run can be found in:\nnpm ERR!     /home/ann/.npm/_logs/2026-01-01T00_00_00_000Z-debug-0.log\n",
        "",
        "npm ERR! 404 Not Found - GET https://packages.example/nosuch - Not found",
    ),
    (
        "npm-enoent",
        "npm error code ENOENT\nnpm error syscall open\nnpm error path /x/package.json\nnpm error errno -2\nnpm error enoent Could not read package.json: Error: ENOENT: no such file or directory, open '/x/package.json'\nnpm error enoent This is related to npm not being able to find a file.\nnpm error enoent\nnpm error A complete log of this run can be found in: /home/ann/.npm/_logs/x-debug-0.log\n",
        "",
        "npm error enoent Could not read package.json: Error: ENOENT: no such file or directory, open '/x/package.json'",
    ),
    (
        "gcc",
        "x.c: In function 'main':\nx.c:3:5: error: 'a' undeclared (first use in this function)\n    3 |     a = 1;\n      |     ^\nx.c:3:5: note: each undeclared identifier is reported only once for each function it appears in\n",
        "",
        "x.c:3:5: error: 'a' undeclared (first use in this function)",
    ),
    (
        "gcc-include",
        "x.c:1:10: fatal error: nosuch.h: No such file or directory\n    1 | #include <nosuch.h>\n      |          ^~~~~~~~~~\ncompilation terminated.\n",
        "",
        "x.c:1:10: fatal error: nosuch.h: No such file or directory",
    ),
    (
        "ld",
        "/usr/bin/ld: /tmp/cc1.o: in function `main':\nx.c:(.text+0x5): undefined reference to `foo'\ncollect2: error: ld returned 1 exit status\n",
        "",
        "x.c:(.text+0x5): undefined reference to `foo'",
    ),
    (
        "make",
        "x.c:1:10: fatal error: nosuch.h: No such file or directory\ncompilation terminated.\nmake: *** [Makefile:2: all] Error 1\n",
        "",
        "x.c:1:10: fatal error: nosuch.h: No such file or directory",
    ),
    (
        "make-alone",
        "make: *** No rule to make target 'x'.  Stop.\n",
        "",
        "make: *** No rule to make target 'x'.  Stop.",
    ),
    (
        "rust-panic",
        "thread 'main' panicked at src/main.rs:2:5:\nindex out of bounds: the len is 3 but the index is 99\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
        "",
        "thread 'main' panicked at src/main.rs:2:5: index out of bounds: the len is 3 but the index is 99",
    ),
    (
        "rust-old",
        "thread 'main' panicked at 'called `Option::unwrap()` on a `None` value', src/main.rs:4:37\nstack backtrace:\n   0: rust_begin_unwind\n             at /rustc/x/library/std/src/panicking.rs:584:5\n   1: core::panicking::panic_fmt\nnote: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\n",
        "",
        "thread 'main' panicked at 'called `Option::unwrap()` on a `None` value', src/main.rs:4:37",
    ),
    (
        "cargo",
        'error[E0502]: cannot borrow `v` as mutable because it is also borrowed as immutable\n --> src/main.rs:4:5\n  |\n3 |     let first = &v[0];\n  |                  - immutable borrow occurs here\n\nFor more information about this error, try `rustc --explain E0502`.\nerror: could not compile `x` (bin "x") due to 1 previous error\n',
        "",
        "error[E0502]: cannot borrow `v` as mutable because it is also borrowed as immutable",
    ),
    (
        "go-panic",
        "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n\t/tmp/x.go:5 +0x1d\nexit status 2\n",
        "",
        "panic: runtime error: index out of range [5] with length 3",
    ),
    (
        "go-fatal",
        "2026/01/01 10:00:00 open x: no such file or directory\nexit status 1\n",
        "",
        "open x: no such file or directory",
    ),
    (
        "java",
        'Exception in thread "main" java.lang.IllegalStateException: cannot load\n\tat com.foo.Bar.load(Bar.java:12)\n\tat com.foo.Bar.main(Bar.java:5)\nCaused by: java.io.FileNotFoundException: x.txt (No such file or directory)\n\tat java.base/java.io.FileInputStream.open0(Native Method)\n\t... 12 more\n',
        "",
        "Caused by: java.io.FileNotFoundException: x.txt (No such file or directory)",
    ),
    (
        "java-simple",
        'Exception in thread "main" java.lang.NullPointerException\n\tat Main.main(Main.java:3)\n',
        "",
        'Exception in thread "main" java.lang.NullPointerException',
    ),
    (
        "ruby",
        "x.rb:3:in `fetch': key not found: \"a\" (KeyError)\n\tfrom x.rb:3:in `<main>'\n",
        "",
        'x.rb:3:in `fetch\': key not found: "a" (KeyError)',
    ),
    (
        "perl",
        "Can't locate Foo.pm in @INC (you may need to install the Foo module) (@INC contains: /etc/perl) at x.pl line 1.\nBEGIN failed--compilation aborted at x.pl line 1.\n",
        "",
        "Can't locate Foo.pm in @INC (you may need to install the Foo module) (@INC contains: /etc/perl) at x.pl line 1.",
    ),
    ("perl-die", "boom at x.pl line 3.\n", "", "boom at x.pl line 3."),
    (
        "php",
        "PHP Fatal error:  Uncaught Error: Call to undefined function foo() in /app/x.php:3\nStack trace:\n#0 {main}\n  thrown in /app/x.php on line 3\n",
        "",
        "PHP Fatal error:  Uncaught Error: Call to undefined function foo() in /app/x.php:3",
    ),
    (
        "terraform",
        '╷\n│ Error: Invalid reference\n│ \n│   on main.tf line 3, in resource "x" "y":\n│    3:   name = foo\n│ \n│ A reference to a resource type must be followed by at least one attribute\n│ access, specifying the resource name.\n╵\n',
        "",
        "Error: Invalid reference",
    ),
    (
        "docker",
        "docker: Error response from daemon: pull access denied for nosuch, repository does not exist or may require 'docker login': denied: requested access to the resource is denied.\nSee 'docker run --help'.\n",
        "",
        "docker: Error response from daemon: pull access denied for nosuch, repository does not exist or may require 'docker login': denied: requested access to the resource is denied.",
    ),
    (
        "docker-daemon",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n",
        "",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    ),
    (
        "kubectl",
        'Error from server (NotFound): pods "x" not found\n',
        "",
        'Error from server (NotFound): pods "x" not found',
    ),
    (
        "helm",
        "Error: INSTALLATION FAILED: cannot re-use a name that is still in use\nhelm.go:84: [debug] cannot re-use a name that is still in use\n",
        "",
        "Error: INSTALLATION FAILED: cannot re-use a name that is still in use",
    ),
    (
        "ffmpeg",
        "ffmpeg version 5.1 Copyright (c) 2000-2022 the FFmpeg developers\n  built with gcc 12\nx.mp4: No such file or directory\n",
        "",
        "x.mp4: No such file or directory",
    ),
    (
        "ffmpeg-bar",
        "Error while decoding stream #0:0: Invalid data found when processing input\nframe=  100 fps= 25 q=28.0 size=     256kB time=00:00:04.00 bitrate= 524.3kbits/s speed=1x    \rframe=  120 fps= 25 q=28.0 size=     256kB time=00:00:04.80 bitrate= 436.9kbits/s speed=1x    \nConversion failed!\n",
        "",
        "Error while decoding stream #0:0: Invalid data found when processing input",
    ),
    (
        "convert",
        "convert-im6.q16: unable to open image `x.png': No such file or directory @ error/blob.c/OpenBlob/2924.\nconvert-im6.q16: no images defined `y.png' @ error/convert.c/ConvertImageCommand/3229.\n",
        "",
        "convert-im6.q16: unable to open image `x.png': No such file or directory @ error/blob.c/OpenBlob/2924.",
    ),
    ("sh-missing", "sh: 1: convert: not found\n", "", "sh: 1: convert: not found"),
    ("bash-missing", "bash: convert: command not found\n", "", "bash: convert: command not found"),
    (
        "sudo",
        "sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper\nsudo: a password is required\n",
        "",
        "sudo: a password is required",
    ),
    ("apt", "E: Unable to locate package nosuch\n", "", "E: Unable to locate package nosuch"),
    (
        "apt-fetch",
        "\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\nE: Failed to fetch http://deb.debian.org/x.deb  404  Not Found [IP: 1.2.3.4 80]\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?\n",
        "",
        "E: Failed to fetch http://deb.debian.org/x.deb  404  Not Found [IP: 1.2.3.4 80]",
    ),
    (
        "dpkg",
        "dpkg: error processing archive x.deb (--install):\n cannot access archive 'x.deb': No such file or directory\nErrors were encountered while processing:\n x.deb\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n",
        "",
        "dpkg: error processing archive x.deb (--install): cannot access archive 'x.deb': No such file or directory",
    ),
    (
        "aws",
        "\nAn error occurred (ThrottlingException) when calling the DescribeInstances operation (reached max retries: 4): Rate exceeded\n",
        "",
        "An error occurred (ThrottlingException) when calling the DescribeInstances operation (reached max retries: 4): Rate exceeded",
    ),
    (
        "aws-s3",
        "upload failed: ./x to s3://b/x An error occurred (NoSuchBucket) when calling the PutObject operation: The specified bucket does not exist\n",
        "",
        "upload failed: ./x to s3://b/x An error occurred (NoSuchBucket) when calling the PutObject operation: The specified bucket does not exist",
    ),
    (
        "boto",
        'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n    x()\nbotocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the GetObject operation: Access Denied\n',
        "",
        "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
    ),
    (
        "gcloud",
        "ERROR: (gcloud.compute.instances.list) PERMISSION_DENIED: Required 'compute.instances.list' permission for 'projects/x'\n",
        "",
        "ERROR: (gcloud.compute.instances.list) PERMISSION_DENIED: Required 'compute.instances.list' permission for 'projects/x'",
    ),
    (
        "ansible",
        'fatal: [web1]: FAILED! => {"changed": false, "msg": "No package matching \'nosuch\' is available"}\n',
        "",
        "fatal: [web1]: FAILED!: No package matching 'nosuch' is available",
    ),
    (
        "pandoc",
        "pandoc: x.md: withBinaryFile: does not exist (No such file or directory)\n",
        "",
        "pandoc: x.md: withBinaryFile: does not exist (No such file or directory)",
    ),
    (
        "pandoc-latex",
        "Error producing PDF.\n! Undefined control sequence.\nl.43 \\foo\n\n",
        "",
        "! Undefined control sequence.",
    ),
    (
        "openai",
        "Traceback (most recent call last):\n  File \"x.py\", line 3, in <module>\n    ask()\nopenai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4', 'type': 'tokens', 'param': None, 'code': 'rate_limit_exceeded'}}\n",
        "",
        "openai.RateLimitError: rate_limit_exceeded: Rate limit reached for gpt-4",
    ),
    (
        "json-body",
        "",
        '{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}\n',
        "rate_limit_exceeded: Rate limit reached",
    ),
    (
        "json-err",
        '{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}\n',
        "",
        "invalid_api_key: Incorrect API key provided",
    ),
    (
        "json-lines",
        "",
        '{\n  "error": {\n    "code": 403,\n    "message": "The caller does not have permission",\n    "status": "PERMISSION_DENIED"\n  }\n}\n',
        "PERMISSION_DENIED: The caller does not have permission",
    ),
    (
        "json-curl",
        "curl: (22) The requested URL returned error: 429\n",
        '{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}',
        "curl: rate_limit_exceeded: Rate limit reached",
    ),
    (
        "json-log",
        '{"level":"info","msg":"starting"}\n{"level":"error","msg":"cannot reach broker"}\n{"level":"info","msg":"bye"}\n',
        "",
        "cannot reach broker",
    ),
    (
        "logfmt",
        'time="2026-01-01T00:00:00Z" level=info msg="starting"\ntime="2026-01-01T00:00:00Z" level=fatal msg="no route to host b1"\n',
        "",
        "no route to host b1",
    ),
    (
        "xml",
        "",
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a</Key></Error>\n',
        "NoSuchKey: The specified key does not exist.",
    ),
    (
        "smtp",
        "msmtp: recipient address bob@example.com not accepted by the server\nmsmtp: server message: 550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown\nmsmtp: could not send mail\n",
        "",
        "msmtp: 550 5.1.1: <bob@example.com>: Recipient address rejected: User unknown",
    ),
    (
        "smtp-py",
        "Traceback (most recent call last):\n  File \"x.py\", line 3, in <module>\n    send()\nsmtplib.SMTPDataError: (554, b'5.7.1 Message rejected as spam')\n",
        "",
        "smtplib.SMTPDataError: 554 5.7.1: Message rejected as spam",
    ),
    (
        "acme",
        "An unexpected error occurred:\nacme.messages.Error: urn:ietf:params:acme:error:rateLimited :: There were too many requests of a given type :: too many certificates already issued for: example.com\nAsk for help or search for solutions at https://community.letsencrypt.org. See the logfile /var/log/letsencrypt/letsencrypt.log or re-run Certbot with -v for more details.\n",
        "",
        "acme.messages.Error: urn:ietf:params:acme:error:rateLimited: There were too many requests of a given type :: too many certificates already issued for: example.com",
    ),
    (
        "acme-sh",
        '[Tue Mar 13 02:50:52 UTC 2018] new-authz error: {"type":"urn:acme:error:rateLimited","detail":"too many failed authorizations recently","status": 429}\n',
        "",
        "urn:acme:error:rateLimited: too many failed authorizations recently",
    ),
    (
        "tqdm",
        "KeyError: 'a'\n\r 45%|████▌     | 45/100 [00:10<00:12,  4.50it/s]\r 46%|████▌     | 46/100 [00:10<00:12,  4.50it/s]\n",
        "",
        "KeyError: 'a'",
    ),
    ("bar-only", "\r 45%|####      | 45/100 [00:10<00:12,  4.50it/s]", "", ""),
    ("number", "broken pipe somewhere\n17\n", "", "broken pipe somewhere"),
    ("hash-bar", "could not fetch a\n[#####     ] 50%\n######################## 100.0%\n", "", "could not fetch a"),
    ("segv", "Segmentation fault (core dumped)\n", "", "Segmentation fault (core dumped)"),
    ("killed", "Killed\n", "", "Killed"),
    ("only-try", "Try 'x --help' for more information.\n", "", "Try 'x --help' for more information."),
    ("syslog", "Jan  2 03:04:05 host app[12]: ERROR cannot bind\n", "", "app[12]: ERROR cannot bind"),
    ("klog", "E0102 03:04:05.123456       1 main.go:12] cannot list pods\n", "", "cannot list pods"),
    (
        "iso-log",
        "2026-01-02T03:04:05.678Z ERROR worker - no more disk\n2026-01-02T03:04:05.700Z INFO  worker - stopping\n",
        "",
        "ERROR worker - no more disk",
    ),
    (
        "py-log",
        "2026-01-02 03:04:05,678 - root - ERROR - cannot do it\n2026-01-02 03:04:05,700 - root - INFO - done\n",
        "",
        "root - ERROR - cannot do it",
    ),
    (
        "systemctl",
        "Failed to start x.service: Unit x.service not found.\n",
        "",
        "Failed to start x.service: Unit x.service not found.",
    ),
    (
        "jq",
        'jq: error (at <stdin>:1): Cannot index number with "a"\n',
        "",
        'jq: error (at <stdin>:1): Cannot index number with "a"',
    ),
    (
        "jq-parse",
        "parse error: Invalid numeric literal at line 1, column 4\n",
        "",
        "parse error: Invalid numeric literal at line 1, column 4",
    ),
    (
        "yt-dlp",
        "WARNING: [youtube] x: no formats\nERROR: [youtube] abc: Video unavailable\n",
        "",
        "ERROR: [youtube] abc: Video unavailable",
    ),
    ("borg", "Repository /x does not exist.\n", "", "Repository /x does not exist."),
    (
        "rclone",
        "2026/01/02 03:04:05 ERROR : x.txt: Failed to copy: googleapi: Error 403: User Rate Limit Exceeded., userRateLimitExceeded\n2026/01/02 03:04:06 Failed to copy: googleapi: Error 403: User Rate Limit Exceeded., userRateLimitExceeded\n",
        "",
        "ERROR : x.txt: Failed to copy: googleapi: Error 403: User Rate Limit Exceeded., userRateLimitExceeded",
    ),
    (
        "gs",
        "Error: /undefinedfilename in (x.pdf)\nOperand stack:\n\nExecution stack:\n   %interp_exit   .runexec2\nLast OS error: No such file or directory\nGPL Ghostscript 10.0: Unrecoverable error, exit code 1\n",
        "",
        "Error: /undefinedfilename in (x.pdf)",
    ),
    (
        "R",
        "Error in library(foo) : there is no package called ‘foo’\nExecution halted\n",
        "",
        "Error in library(foo) : there is no package called ‘foo’",
    ),
    (
        "julia",
        "ERROR: LoadError: UndefVarError: `x` not defined\nStacktrace:\n [1] top-level scope\n   @ ~/x.jl:1\nin expression starting at /home/ann/x.jl:1\n",
        "",
        "ERROR: LoadError: UndefVarError: `x` not defined",
    ),
    ("ora", "ORA-00942: table or view does not exist\n", "", "ORA-00942: table or view does not exist"),
    (
        "gradle",
        "FAILURE: Build failed with an exception.\n\n* What went wrong:\nTask 'x' not found in root project 'y'.\n\n* Try:\n> Run gradlew tasks to get a list of available tasks.\n\nBUILD FAILED in 1s\n",
        "",
        "Task 'x' not found in root project 'y'.",
    ),
    (
        "maven",
        "",
        "[ERROR] COMPILATION ERROR : \n[ERROR] /x/Foo.java:[3,5] cannot find symbol\n[ERROR] -> [Help 1]\n[ERROR] \n[ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.\n",
        "[ERROR] /x/Foo.java:[3,5] cannot find symbol",
    ),
]


@pytest.mark.parametrize(("err", "out", "words"), [tail[1:] for tail in TAILS], ids=[tail[0] for tail in TAILS])
def test_the_words_name_the_cause(err, out, words):
    assert text_in_output(err.encode(), out.encode()) == words[:MESSAGE_LIMIT]


@pytest.mark.parametrize("err", [tail[1] for tail in TAILS if tail[1]])
def test_a_colour_and_an_end_of_line_change_nothing(err):
    plain = text_in_output(err.encode(), b"")
    coloured = "".join(f"\x1b[31m{line}\x1b[0m\r\n" for line in err.splitlines())
    assert text_in_output(coloured.encode(), b"") == plain


#: Texts of 8 KB that a careless pattern takes hours for.
LONG = [
    b"1",
    b"a:",
    b"[",
    b'{"a":',
    b"{ ",
    b"\r",
    b"1 ",
    b"'",
    b"x: ",
    b"<Code>",
    b"(550, b'",
    b"1.1.1.",
    b"message='",
    b"a.b::",
    b"{\n",
    b"error: (((",
    b"\x1b[",
    b"\"'",
    b"error:\n",
]


@pytest.mark.parametrize("tail", [piece * (8192 // len(piece)) for piece in LONG])
def test_no_text_takes_long(tail):
    from time import process_time

    began = process_time()
    for each in (tail, tail + b"!", tail + b"\n}", b"error: " + tail):
        text_in_output(each, each)
    assert process_time() - began < 2  # of milliseconds in truth; a pattern that explodes takes hours


def test_few_places_are_tried_as_the_begin_of_a_body(monkeypatch):
    tried = []

    def decode(text, place):
        tried.append(place)
        raise ValueError

    monkeypatch.setattr("jobctl.domain.cause._decode", decode)
    assert text_in_output(b"cannot do it\n" + b"{\n" * 300, b"") == "cannot do it"
    assert len(tried) < 100
