"""Apache Cassandra with a small heap: one node that waits for no other."""

from pathlib import Path
from typing import Final

from tests.services.downloads import java, maven
from tests.services.server import HOST, Launch, exchange, free_ports

VERSION: Final = "5.0.9"
HEAP: Final = ("-Xms512M", "-Xmx512M", "-Xss256k", "-XX:+UseG1GC", "-XX:TieredStopAtLevel=1")
#: What Cassandra reaches inside of Java 17, as its own start script says it.
EXPORTS: Final = (
    *(f"java.base/{name}" for name in ("jdk.internal.misc", "jdk.internal.ref", "sun.nio.ch")),
    "java.base/java.lang.ref",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    *(f"java.rmi/{name}" for name in ("sun.rmi.registry", "sun.rmi.server")),
    "java.sql/java.sql",
    "jdk.unsupported/sun.misc",
)
OPENS: Final = (
    *(f"java.base/java.{name}" for name in ("lang", "lang.module", "lang.reflect", "io", "nio")),
    *(f"java.base/java.util{name}" for name in ("", ".concurrent", ".concurrent.atomic", ".jar")),
    "java.base/java.net",
    "java.base/sun.nio.ch",
    *(f"java.base/jdk.internal.{name}" for name in ("loader", "ref", "reflect", "math", "module")),
    "java.base/jdk.internal.util.jar",
    "jdk.management/com.sun.management.internal",
    "jdk.compiler/com.sun.tools.javac",
)
#: Commits wait for nothing: crash tests of this store ask for `batch` in a file of their own.
CONFIGURATION: Final = """
cluster_name: test
num_tokens: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
seed_provider:
- class_name: org.apache.cassandra.locator.SimpleSeedProvider
  parameters: [{{seeds: "{host}:{storage}"}}]
listen_address: {host}
rpc_address: {host}
storage_port: {storage}
native_transport_port: {port}
data_file_directories: ["{folder}/data"]
commitlog_directory: "{folder}/commitlog"
hints_directory: "{folder}/hints"
saved_caches_directory: "{folder}/saved_caches"
cdc_raw_directory: "{folder}/cdc"
commitlog_sync: periodic
commitlog_sync_period: 10000ms
commitlog_segment_size: 16MiB
commitlog_total_space: 256MiB
auto_snapshot: false
auto_bootstrap: false
hinted_handoff_enabled: false
memtable_heap_space: 128MiB
memtable_offheap_space: 128MiB
concurrent_compactors: 1
"""
LOGGING: Final = """<configuration>
<appender name="FILE" class="ch.qos.logback.core.FileAppender">
<file>{folder}/cassandra.log</file>
<encoder><pattern>%-5level %date %F:%L - %msg%n</pattern></encoder>
</appender>
<root level="WARN"><appender-ref ref="FILE"/></root>
</configuration>
"""
#: Options a client may ask for before anything else, protocol 5; the answer's kind is 6.
QUESTION: Final = bytes([5, 0, 0, 0, 5, 0, 0, 0, 0])
SUPPORTED: Final = 6


def cassandra(folder: Path) -> Launch:
    """Return how to start Cassandra."""
    jars = maven("org.apache.cassandra", "cassandra-all", VERSION)
    port, storage = free_ports(2)
    inside = folder.resolve()
    scratch = inside / "scratch"
    scratch.mkdir()
    names = {"host": HOST, "storage": storage, "port": port, "folder": inside}
    (folder / "cassandra.yaml").write_text(CONFIGURATION.format(**names))
    (folder / "logback.xml").write_text(LOGGING.format(folder=inside))
    reached = (
        *(f"--add-exports={place}=ALL-UNNAMED" for place in EXPORTS),
        *(f"--add-opens={place}=ALL-UNNAMED" for place in OPENS),
    )
    settings = (
        f"cassandra.config=file://{inside}/cassandra.yaml",
        f"cassandra.storagedir={inside}",
        f"logback.configurationFile={inside}/logback.xml",
        "cassandra-foreground=yes",
        "cassandra.skip_wait_for_gossip_to_settle=0",
        "cassandra.ring_delay_ms=1",
        "cassandra.superuser_setup_delay_ms=0",
        "cassandra.shutdown_announce_in_ms=0",
        "jdk.attach.allowAttachSelf=true",
        f"java.io.tmpdir={scratch}",
        f"jna.tmpdir={scratch}",
    )
    (agent,) = jars.glob("jamm-*.jar")
    return Launch(
        command=(java(), *HEAP, *reached, f"-javaagent:{agent}", "-cp", f"{inside}:{jars}/*",
                 *(f"-D{setting}" for setting in settings),
                 "org.apache.cassandra.service.CassandraDaemon"),
        ready=lambda: VERSION if exchange(port, QUESTION, 9)[4:5] == bytes([SUPPORTED]) else None,
        settings={"CASSANDRA_ADDRESS": f"{HOST}:{port}", "CASSANDRA_DATACENTER": "datacenter1"},
        limit_s=90.0,
    )  # fmt: skip
