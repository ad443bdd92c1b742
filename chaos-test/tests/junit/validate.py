"""Holds a JUnit file against schemas: `validate.py FILE OURS [COMMON]`.

COMMON is the schema of Jenkins' xunit plugin (junit-10.xsd). Against that one the file is held without the extensions
that docs/junit.md names; anything else it does not allow is a mistake.
"""

import sys

from lxml import etree

# Where an extension stands, and which attributes it is.
EXTENSIONS = {
    "testsuites": ("uuid", "timestamp", "skipped"),
    "testcase": ("timestamp",),
    "flakyFailure": ("timestamp", "time"),
    "flakyError": ("timestamp", "time"),
    "rerunFailure": ("timestamp", "time"),
    "rerunError": ("timestamp", "time"),
}


def validate(schema, document):
    schema = etree.XMLSchema(etree.parse(schema))
    if not schema.validate(document):
        sys.exit("\n".join(str(error) for error in schema.error_log))


file, ours, *common = sys.argv[1:]
document = etree.parse(file)
validate(ours, document)
if common and common[0]:
    for element in list(document.iter()):
        for name in EXTENSIONS.get(element.tag, ()):
            element.attrib.pop(name, None)
        if element.tag == "testcase":
            for properties in element.findall("properties"):
                element.remove(properties)
    validate(common[0], document)
    print("valid by the common schema, without its extensions")
