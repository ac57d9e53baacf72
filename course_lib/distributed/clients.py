"""Run by the clouds' own interpreter: judges job descriptions with the vendors' request models.

It knows nothing of the course, since the course is not installed there. In come descriptions as
JSON on the standard input, out go verdicts as the last line of the standard output. Any attempt to
open a connection is refused and reported.
"""

from __future__ import annotations

import importlib.util
import io
import json
import re
import socket
import sys
import tempfile
import types
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

reached: list[str] = []


class Refused(Exception):
    """A client's own report of what is wrong."""


def refuse(*where: Any, **_: Any) -> None:
    """Stand in for whatever would open a connection or look up a name."""
    address = next((part for part in where if isinstance(part, (str, tuple))), "something")
    reached.append(str(address))
    raise OSError("This program has no network.")


def vertex(description: dict[str, Any]) -> dict[str, Any]:
    """Build Google's CustomJob, and return it as it would be sent."""
    # The package imports the clients of all its services, which takes seconds. The messages alone
    # do not need them, so it and its subpackage are entered without running their __init__.
    for name in ("google.cloud.aiplatform_v1", "google.cloud.aiplatform_v1.types"):
        if name not in sys.modules:
            module = types.ModuleType(name)
            module.__path__ = list(importlib.util.find_spec(name).submodule_search_locations)
            sys.modules[name] = module
    from google.cloud.aiplatform_v1.types.custom_job import CustomJob

    job = CustomJob(description)
    CustomJob.serialize(job)
    return json.loads(CustomJob.to_json(job, always_print_fields_with_no_presence=False))


def sagemaker(description: dict[str, Any]) -> dict[str, Any]:
    """Validate against Amazon's service model, and return the body of the request."""
    import botocore.session
    from botocore.serialize import create_serializer
    from botocore.validate import ParamValidator

    model = botocore.session.Session().get_service_model("sagemaker")
    operation = model.operation_model("CreateTrainingJob")
    report = ParamValidator().validate(description, operation.input_shape)
    if report.has_errors():
        raise Refused(report.generate_report())
    request = create_serializer(model.metadata["protocol"]).serialize_to_request(
        description, operation
    )
    return json.loads(request["body"])


def azure(description: dict[str, Any]) -> dict[str, Any]:
    """Load Microsoft's job from its file format, and validate it."""
    from azure.ai.ml import load_job

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.yml"
        path.write_text(json.dumps(description))  # JSON is YAML
        try:
            job = load_job(path)
        except Exception as error:
            raise Refused(shortest(str(error))) from error
        result = job._validate()
    if not result.passed:
        raise Refused(json.dumps(result.error_messages))
    return json.loads(json.dumps(job._to_dict(), default=str))


def shortest(message: str) -> str:
    """Cut from Microsoft's message, which nests reports, the innermost one in its own words."""
    inner = re.findall(r"Validation for \w+ failed:\\n\\n (\{.*?\}) \\n", message, re.DOTALL)
    if not inner:
        return message
    return " ".join(json.loads(f'"{inner[-1]}"').split())


def judge(vendor: str, description: dict[str, Any]) -> tuple[bool, str, dict[str, Any]]:
    """Return whether the vendor's client accepts it, what it says, and what it would send."""
    noise = io.StringIO()
    try:
        with redirect_stdout(noise), redirect_stderr(noise):
            request = {"vertex": vertex, "sagemaker": sagemaker, "azure": azure}[vendor](
                description
            )
    except Refused as report:
        return False, str(report), {}
    except Exception as error:  # whatever else its client raises is its answer
        return False, f"{type(error).__name__}: {error}", {}
    return True, "", request


def main() -> None:
    """Judge what comes in."""
    socket.socket.connect = refuse
    socket.socket.connect_ex = refuse
    socket.create_connection = refuse
    socket.getaddrinfo = refuse
    asked = json.loads(sys.stdin.read())
    verdicts = [judge(vendor, body) for vendor, body in asked]
    print(json.dumps({"verdicts": verdicts, "reached": reached}))


if __name__ == "__main__":
    main()
