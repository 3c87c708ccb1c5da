#!/usr/bin/env python3
"""Records what programs print while they work, as test data for the readers of progress.

usage: record.py [NAME ...]      writes NAME beside itself; without names, all of them

Each program works against a server of ours on the loopback, slowed down so that it has something
to show. Those named *-tty run on a terminal of 80 columns, the others write into a pipe (stdout
and stderr together). A program that is not installed is left out and named.
"""
import base64, functools, hashlib, http.server, io, json, os, pty, random, shutil, socketserver, struct
import subprocess, sys, tarfile, tempfile, termios, threading, time, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
NOISE = random.Random(1).randbytes(3_000_000)
ENV = dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm", COLUMNS="80")


WHEELS = {"noise": (1_500_000, ["hum", "hiss"]), "hum": (600_000, []), "hiss": (900_000, [])}


def metadata(name):
    needs = "".join(f"Requires-Dist: {other}\n" for other in WHEELS[name][1])
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}"


@functools.cache
def wheel(name):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as z:
        z.writestr(f"{name}/__init__.py", "")
        z.writestr(f"{name}/data.bin", NOISE[: WHEELS[name][0]])
        z.writestr(f"{name}-1.0.dist-info/METADATA", metadata(name))
        z.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return data.getvalue()


@functools.cache
def tarball(name):
    data = io.BytesIO()
    about = json.dumps({"name": name, "version": "1.0.0"}).encode()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for path, content in (("package/package.json", about), ("package/data", NOISE[:60_000])):
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def finish(self):
        try:
            super().finish()
        except OSError:
            pass

    def answer(self, body, kind, pause):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for at in range(0, len(body), 50_000):
            try:
                self.wfile.write(body[at : at + 50_000])
            except OSError:
                return
            time.sleep(pause)

    def answer_unknown(self):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        for at in range(0, len(NOISE), 50_000):
            self.wfile.write(NOISE[at : at + 50_000])
            time.sleep(0.05)
        self.close_connection = True

    def do_GET(self):
        host = f"http://127.0.0.1:{self.server.server_address[1]}"
        name = self.path.strip("/")
        if name.split("/")[-1] in WHEELS:  # /full/NAME: an index that knows what packages need
            full = ' data-dist-info-metadata="true"' if name.startswith("full") else ""
            name = name.split("/")[-1]
            self.answer(f'<a href="/{name}-1.0-py3-none-any.whl"{full}>{name}-1.0-py3-none-any.whl</a>'.encode(),
                        "text/html", 0)
        elif name.endswith(".metadata"):
            self.answer(metadata(name.split("-")[0]).encode(), "text/plain", 0)
        elif name.endswith(".whl"):
            self.answer(wheel(name.split("-")[0]), "application/zip", 0.05)
        elif name == "endless":
            self.answer_unknown()
        elif name.endswith(".tgz"):
            self.answer(tarball(name[:-4]), "application/octet-stream", 0.2)
        elif name.startswith("pkg"):
            sha = base64.b64encode(hashlib.sha512(tarball(name)).digest()).decode()
            about = {"name": name, "version": "1.0.0",
                     "dist": {"tarball": f"{host}/{name}.tgz", "integrity": "sha512-" + sha}}
            self.answer(json.dumps({"name": name, "dist-tags": {"latest": "1.0.0"},
                                    "versions": {"1.0.0": about}}).encode(), "application/json", 0.1)
        else:
            self.answer(NOISE, "application/octet-stream", 0.05)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def on_pipe(argv, **kw):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)
    return done.stdout


def on_tty(argv, **kw):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80)) if hasattr(termios, "tcsetwinsize") else __import__("fcntl").ioctl(
        theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    child = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, **kw)
    os.close(theirs)
    said = b""
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:
            break
        if not data:
            break
        said += data
    child.wait()
    return said


def make_repository(top):
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-C", top]
    subprocess.run(["git", "init", "-q", top], check=True)
    lines = [f"line {i} {NOISE[i * 9 : i * 9 + 9].hex()}\n" for i in range(400)]
    for commit in range(12):
        for i in range(4):
            lines[(commit * 31 + i) % 400] = f"commit {commit} file {i}\n"
            with open(f"{top}/file{i}", "w") as f:
                f.writelines(lines)
        with open(f"{top}/blob{commit}", "wb") as f:
            f.write(NOISE[commit * 100_000 : commit * 100_000 + 100_000])
        subprocess.run(git + ["add", "."], check=True)
        subprocess.run(git + ["commit", "-qm", f"commit {commit}"], check=True)


def make_video(path):
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=duration=40:size=640x360:rate=25",
                    "-c:v", "mpeg4", "-q:v", "5", path], check=True)


def make_files(top):
    os.mkdir(top)
    os.mkdir(top + "/sub")
    for i in range(12):
        with open(f"{top}/{'sub/' if i % 2 else ''}file{i}", "wb") as f:
            f.write(NOISE[: 20_000 + i * 30_000])


def recordings(scratch, host):
    """name: (how, argv)"""
    port = host.rsplit(":", 1)[1]
    pip = [sys.executable, "-m", "pip", "--isolated", "--no-cache-dir", "--disable-pip-version-check", "install",
           "--root-user-action", "ignore", "--target", scratch + "/site", "--upgrade", "noise", "--index-url"]
    npm = ["npm", "install", "--registry", host, "--cache", scratch + "/npm", "--no-audit", "--no-fund", "--prefix",
           scratch + "/node"] + [f"pkg{i}" for i in range(12)]
    big, files, video = scratch + "/big", scratch + "/files", scratch + "/in.avi"
    clone = ["git", "clone", "--progress", "git://127.0.0.1:9419/repo", scratch + "/clone"]
    return {
        "curl": (on_pipe, ["curl", "-o", "/dev/null", host + "/file"]),
        "curl-bar": (on_pipe, ["curl", "-#", "-o", "/dev/null", host + "/file"]),
        "curl-unknown": (on_pipe, ["curl", "-o", "/dev/null", host + "/endless"]),
        "curl-parallel": (on_pipe, ["curl", "-Z", "-o", "/dev/null", host + "/file", "-o", "/dev/null", host + "/file2"]),
        "curl-broken": (on_pipe, ["curl", "-m", "1", "-o", "/dev/null", host + "/file"]),
        "wget": (on_pipe, ["wget", "-O", "/dev/null", host + "/file"]),
        "wget-bar": (on_pipe, ["wget", "--progress=bar:force", "-O", "/dev/null", host + "/file"]),
        "wget-tty": (on_tty, ["wget", "-O", "/dev/null", host + "/file"]),
        "git-clone": (on_pipe, clone),
        "git-clone-tty": (on_tty, clone),
        "rsync": (on_pipe, ["rsync", "-a", "--progress", "--bwlimit=1000", files + "/", scratch + "/rsync1"]),
        "rsync-one": (on_pipe, ["rsync", "--progress", "--bwlimit=2000", big, scratch + "/rsync2"]),
        "rsync-whole": (on_pipe, ["rsync", "-a", "--info=progress2", "--bwlimit=1000", files + "/", scratch + "/rsync3"]),
        "pip": (on_pipe, pip + [host + "/full"]),
        "pip-raw": (on_pipe, pip + [host + "/full", "--progress-bar", "raw"]),
        "pip-tty": (on_tty, pip + [host + "/full"]),
        "pip-blind-tty": (on_tty, pip + [host]),
        "npm": (on_pipe, npm),
        "npm-tty": (on_tty, npm),
        "npm9-tty": (on_tty, ["npm9"] + npm[1:]),
        "ffmpeg": (on_pipe, ["ffmpeg", "-hide_banner", "-y", "-i", video, "-stats_period", "0.8", "-vf", "scale=1280:720", "-c:v", "mpeg4", scratch + "/out.avi"]),
        "ffmpeg-machine": (on_pipe, ["ffmpeg", "-hide_banner", "-y", "-i", video, "-nostats", "-progress", "pipe:1", "-vf",
                                     "scale=1280:720", "-c:v", "mpeg4", scratch + "/out.avi"]),
    }


def clean(scratch):
    for name in ("clone", "site", "npm", "node", "rsync1", "rsync2", "rsync3"):
        path = os.path.join(scratch, name)
        shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) else os.path.exists(path) and os.remove(path)


def main():
    scratch = tempfile.mkdtemp()
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_address[1]}"
    table = recordings(scratch, host)
    names = sys.argv[1:] or list(table)
    if any(name.startswith("git") for name in names):
        make_repository(scratch + "/repo")
        daemon = subprocess.Popen(["git", "daemon", "--listen=127.0.0.1", "--port=9419", "--export-all",
                                   "--base-path=" + scratch], start_new_session=True)
        time.sleep(0.5)
    if any(name.startswith("ffmpeg") for name in names):
        make_video(scratch + "/in.avi")
    make_files(scratch + "/files")
    with open(scratch + "/big", "wb") as f:
        f.write(NOISE)
    for name in names:
        how, argv = table[name]
        if not shutil.which(argv[0]):
            print("not installed:", argv[0])
            continue
        clean(scratch)
        said = how(argv, env=ENV, cwd=scratch)
        said = said.replace(scratch.encode(), b"/tmp/x").replace(host[7:].encode(), b"127.0.0.1:80")
        with open(os.path.join(HERE, name), "wb") as f:
            f.write(said)
        print(f"{len(said):8} {name}")
    if any(name.startswith("git") for name in names):
        os.killpg(daemon.pid, 15)
    shutil.rmtree(scratch)


main()
