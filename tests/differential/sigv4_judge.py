"""Signs what stands on standard input with botocore: one JSON object per line in, one signature per line out."""
import json
import sys
import urllib.parse

from botocore import auth, awsrequest, credentials


class Fixed(auth.S3SigV4Auth):
    """Signs the fields and the date it is given, and adds none."""

    def __init__(self, *args, payload):
        super().__init__(*args)
        self.hash = payload

    def payload(self, request):
        return self.hash


for line in sys.stdin:
    case = json.loads(line)
    path = urllib.parse.quote(bytes.fromhex(case["path"]), safe="/-_.~")
    query = "&".join(
        urllib.parse.quote(bytes.fromhex(k), safe="-_.~") + "=" + urllib.parse.quote(bytes.fromhex(v), safe="-_.~")
        for k, v in case["query"]
    )
    request = awsrequest.AWSRequest(
        method=case["method"], url="http://host.test" + path + ("?" + query if query else ""))
    for name, value in case["fields"]:
        request.headers[name] = value
    request.context["timestamp"] = case["date"]
    signer = Fixed(credentials.Credentials("AKID", case["secret"]), "s3", "eu-west-1", payload=case["payload"])
    text = signer.string_to_sign(request, signer.canonical_request(request))
    print(signer.signature(text, request))
