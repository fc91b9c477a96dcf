#!/usr/bin/python3
"""An S3 server for tests: OpenStack Swift with its s3api, all of it in this process, on free ports of 127.0.0.1.

s3-server.py DIR READY BUCKET ACCESS SECRET: keeps everything in DIR, writes READY (JSON: port) when it serves. ACCESS is
"account:user"; BUCKET exists then. Extended attributes have to work in DIR.
"""
import json
import os
import signal
import sys

import eventlet

eventlet.patcher.monkey_patch(all=False, socket=True, select=True, thread=True)

from eventlet import wsgi  # noqa: E402
from swift.account import server as account_server  # noqa: E402
from swift.common import storage_policy  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.swob import Request  # noqa: E402
from swift.common import utils  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402
from swift.container import server as container_server  # noqa: E402
from swift.obj import server as object_server  # noqa: E402

PROXY = """[DEFAULT]
swift_dir = {dir}
log_level = ERROR
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
max_bucket_listing = 3
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret} .admin
"""


class Cache(dict):
    """In place of memcached, which tempauth insists on."""

    def __bool__(self):
        return True  # also when nothing is in it

    def get(self, key, default=None, **_):
        return super().get(key, default)

    def set(self, key, value, **_):
        self[key] = value

    def delete(self, key, **_):
        self.pop(key, None)

    def incr(self, key, delta=1, **_):
        self[key] = int(self.get(key) or 0) + delta
        return self[key]


def cached(app):
    cache = Cache()

    def call(env, start_response):
        env["swift.cache"] = cache
        return app(env, start_response)

    return call


def write_ring(directory, name, port):
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "sda", "weight": 1,
                     "replication_ip": "127.0.0.1", "replication_port": port})
    builder.rebalance()
    builder.get_ring().save(os.path.join(directory, name + ".ring.gz"))


def serve(sock, app):
    eventlet.spawn(wsgi.server, sock, app, open(os.devnull, "w"), protocol=SwiftHttpProtocol,
                   log_output=False, capitalize_response_headers=False)


def main():
    directory, ready, bucket, access, secret = sys.argv[1:]
    account, user = access.split(":")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    utils.HASH_PATH_SUFFIX = b"test"
    utils.HASH_PATH_PREFIX = b""
    os.makedirs(os.path.join(directory, "devices", "sda"), exist_ok=True)
    conf = {"swift_dir": directory, "devices": os.path.join(directory, "devices"), "mount_check": "false",
            "log_level": "ERROR", "fallocate_reserve": "0", "disable_fallocate": "true"}
    policies = storage_policy.StoragePolicyCollection([storage_policy.StoragePolicy(0, "one", True)])
    storage_policy._POLICIES = policies
    kinds = (("account", account_server.AccountController), ("container", container_server.ContainerController),
             ("object", object_server.ObjectController))
    for name, controller in kinds:
        sock = eventlet.listen(("127.0.0.1", 0))
        write_ring(directory, name, sock.getsockname()[1])
        serve(sock, controller(dict(conf)))
    conf_file = os.path.join(directory, "proxy.conf")
    with open(conf_file, "w") as out:
        out.write(PROXY.format(dir=directory, account=account, user=user, secret=secret))
    app = loadapp(conf_file)
    sock = eventlet.listen(("127.0.0.1", 0))
    inner = app
    while hasattr(inner, "app"):
        inner = inner.app
    made = Request.blank("/v1/AUTH_%s/%s" % (account, bucket), method="PUT").get_response(inner)
    if made.status_int not in (201, 202):
        sys.exit("the bucket could not be made: %s" % made.status)
    serve(sock, cached(app))
    with open(ready + ".new", "w") as out:
        json.dump({"port": sock.getsockname()[1]}, out)
    os.rename(ready + ".new", ready)
    eventlet.sleep(600)  # a test that forgot it


main()
