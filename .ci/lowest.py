"""Prints the lowest versions that setup.cfg allows, as constraints for pip."""

import configparser
import re
from pathlib import Path

config = configparser.ConfigParser()
config.read(Path(__file__).parents[1] / "setup.cfg")
for requirement in config["options"]["install_requires"].split("\n"):
    if found := re.match(r"([\w-]+)>=([\d.]+)", requirement):
        print(f"{found[1]}=={found[2]}")
# As hosted notebooks have them; tensorflow-datasets imports only with one of the other's age.
print("protobuf==5.29.*")
print("tensorflow-metadata<1.18")
