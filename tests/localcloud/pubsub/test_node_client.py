"""The Pub/Sub server works with the Node.js client, as published on npm."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.pubsub import RunningServer

_SCRIPT = """
const {PubSub} = require('@google-cloud/pubsub');
(async () => {
  const client = new PubSub({projectId: 'local'});
  const [topic] = await client.createTopic('from-node');
  const [subscription] = await topic.createSubscription('node-readers');
  const got = [];
  const done = new Promise((resolve, reject) => {
    subscription.on('error', reject);
    subscription.on('message', message => {
      got.push([message.data.toString(), message.attributes.n, message.id]);
      message.ack();
      if (got.length === 20) resolve();
    });
  });
  const ids = await Promise.all([...Array(20).keys()].map(n =>
    topic.publishMessage({data: Buffer.from('m' + n), attributes: {n: String(n)}})));
  await done;
  await subscription.close();
  await client.close();
  console.log(JSON.stringify({ids, got}));
})().catch(error => { console.error(error); process.exit(1); });
"""


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with @google-cloud/pubsub installed."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("npm")
    command = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--fetch-retries=4", "--prefer-offline"]
    ran = subprocess.run(
        [*command, "--prefix", str(folder), "@google-cloud/pubsub"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, f"npm cannot install the client: {ran.stderr[-2000:]}"
    return folder / "node_modules"


def test_the_node_client_publishes_and_streams(server: RunningServer, node_modules: Path) -> None:
    """Twenty messages published from Node.js come back on its streaming pull, are acknowledged and gone."""
    environment = {**os.environ, "PUBSUB_EMULATOR_HOST": server.address, "NODE_PATH": str(node_modules)}
    ran = subprocess.run(
        ["node", "-e", _SCRIPT], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert sorted(got[2] for got in answer["got"]) == sorted(answer["ids"])
    assert all(data == f"m{n}" for data, n, _ in answer["got"])
    assert server.pull("projects/local/subscriptions/node-readers", at_once=True) == []
