#!/usr/bin/env python3
"""Times the reading of many accounts of AWS in several Regions, from a server that is slow to answer and lets each account make
so many calls a second of a service in a Region.

Usage: accounts.py DEADSTOP MOTO_SERVER FOLDER [ACCOUNTS SECRETS RATE BURST]   (from a Python with moto and boto3: see tests/run)

Each answer takes 50 ms. Beyond its rate an account is told to slow down, as AWS does; what the rate alone dictates is what
the service with most calls needs at this rate. Every account is read by a role of it, in four Regions.
"""
import collections
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

program, server, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
accounts, secrets, rate, burst = (int(number) for number in (sys.argv[4:8] or ("20", "60", "10", "10")))
REGIONS = ["eu-west-1", "eu-central-1", "us-east-1", "us-west-2"]
LATENCY = 0.05
NUMBERS = [str(200000000000 + at) for at in range(accounts)]
lock = threading.Lock()
known, of_key, buckets = {}, {}, {}
asked, refused = collections.Counter(), collections.Counter()


class Slow(http.server.BaseHTTPRequestHandler):
    """Hands calls on to the server, slowly, and counts them by account."""

    url = ""
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_):
        pass

    def admitted(self, whose):
        with lock:
            left, at = buckets.get(whose, (burst, time.monotonic()))
            now = time.monotonic()
            left = min(burst, left + (now - at) * rate)
            asked[whose] += left >= 1
            refused[whose] += left < 1
            buckets[whose] = (left - 1 if left >= 1 else left, now)
            return left >= 1

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        scope = self.headers.get("Authorization", "").split("/")
        key = scope[0].split("=")[-1]
        time.sleep(LATENCY)
        if not self.admitted((of_key.get(key, key), *scope[2:4])):
            status, told = 400, (b'{"__type": "ThrottlingException", "message": "Rate exceeded"}' if self.headers.get("X-Amz-Target") else
                                 b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>")
        else:
            question = (self.command, self.path, body, self.headers.get("X-Amz-Target"), of_key.get(key, key), tuple(scope[2:4]))
            if question not in known:
                request = urllib.request.Request(self.url + self.path, data=body or None, headers=dict(self.headers), method=self.command)
                try:
                    with urllib.request.urlopen(request) as response:
                        known[question] = response.status, response.read()
                except urllib.error.HTTPError as error:
                    known[question] = error.code, error.read()
                if b"AssumeRole" in body:
                    # Whose account the new key is of.
                    number = body.decode().split("RoleArn=")[1].split("%3A")[4]
                    of_key[known[question][1].decode().split("<AccessKeyId>")[1].split("<")[0]] = number
            status, told = known[question]
        self.send_response(status)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_HEAD = do_PUT = handle_one


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main():
    import boto3

    port = 5998
    url = f"http://127.0.0.1:{port}"
    moto = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            env={**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"})
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{url}/moto-api/data.json").read()
                break
            except OSError:
                time.sleep(0.5)

        def client(service, region=REGIONS[0], key=("root", "root", None)):
            return boto3.client(service, endpoint_url=url, region_name=region, aws_access_key_id=key[0], aws_secret_access_key=key[1],
                                aws_session_token=key[2])

        trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})
        for number in NUMBERS:
            made = client("sts").assume_role(RoleArn=f"arn:aws:iam::{number}:role/any", RoleSessionName="made")["Credentials"]
            key = (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
            client("iam", key=key).create_role(RoleName="audit", AssumeRolePolicyDocument=trust)
            for region in REGIONS:
                for _ in range(3):
                    client("ec2", region, key).create_volume(AvailabilityZone=f"{region}a", Size=8)
                manager = client("secretsmanager", region, key)
                for at in range(secrets):
                    manager.create_secret(Name=f"secret-{at}", SecretString="made-up")
        client("iam").create_user(UserName="agent")
        made = client("iam").create_access_key(UserName="agent")["AccessKey"]
        client("iam").create_user(UserName="auditor")
        own = client("iam").create_access_key(UserName="auditor")["AccessKey"]
        for name in ("home", "system", "work", "own/.aws"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "work" / ".env").write_text(f"AWS_ACCESS_KEY_ID={made['AccessKeyId']}\nAWS_SECRET_ACCESS_KEY={made['SecretAccessKey']}\n")
        (folder / "own" / ".aws" / "credentials").write_text(f"[security-audit]\naws_access_key_id = {own['AccessKeyId']}\naws_secret_access_key = {own['SecretAccessKey']}\n")
        Slow.url = url
        slow = Server(("127.0.0.1", 0), Slow)
        threading.Thread(target=slow.serve_forever, daemon=True).start()
        roles = json.dumps([f"arn:aws:iam::{number}:role/audit" for number in NUMBERS])
        config = folder / "deadstop.yaml"
        config.write_text("schema: deadstop.config/1\nproviders:\n  aws: {regions: %s, endpoint: \"http://127.0.0.1:%d\", profile: security-audit, roles: %s}\n" % (
            json.dumps(REGIONS), slow.server_address[1], roles))
        arguments = [program, "run", folder / "work", "--home", folder / "home", "--system", folder / "system", "--config", config, "-o", folder / "out", "--quiet",
                     "--live", "--no-fixes"]
        # Once for what the server has to think about, which is not what is timed.
        for _ in range(2):
            asked.clear(), refused.clear(), buckets.clear()
            begun = time.monotonic()
            done = subprocess.run(arguments, env={"PATH": os.environ["PATH"], "HOME": str(folder / "own")}, capture_output=True, text=True)
            taken = time.monotonic() - begun
        bundle = json.loads((folder / "out" / "facts.json").read_text())
        gaps = collections.Counter(source["outcome"] if isinstance(source["outcome"], str) else next(iter(source["outcome"])) for source in bundle["sources"])
        most = max(asked.values())
        dictated = max(0, most - burst) / rate
        print(f"{accounts} accounts, {len(REGIONS)} Regions, {sum(asked.values())} calls, {sum(refused.values())} told to slow down: {taken:.1f} s; "
              f"the rate alone dictates {dictated:.1f} s ({most} calls of one service); exit {done.returncode} {done.stderr[-300:]} {dict(gaps)}")
    finally:
        moto.terminate()
        moto.wait()


if __name__ == "__main__":
    main()
