"""What junitparser reads of a JUnit file, as JSON."""

import json
import sys

from junitparser.xunit2 import JUnitXml

xml = JUnitXml.fromfile(sys.argv[1])
cases = []
for suite in xml:
    for case in suite:
        found = list(case.result)
        assert len(found) < 2, found
        cases.append({
            "name": case.name,
            "classname": case.classname,
            "result": type(found[0]).__name__ if found else "pass",
            "message": found[0].message if found else None,
            "properties": [[one.name, one.value] for one in case.properties()],
            "tries": [[type(one).__name__, one.type] for one in case.interim_result],
        })
print(json.dumps({"cases": cases, "totals": [xml.tests, xml.failures, xml.errors, sum(suite.skipped for suite in xml)]}))
