"""Streams of a shop on a NATS server that is there already."""

import pulumi

from provisioner import Catalogue, Consumer, KeyValue, ObjectStore, Server, Stream

config = pulumi.Config()
server = Server(
    config.require("url"),
    user=config.get("user"),
    password=config.get_secret("password"),
    on_delete="guard",  # a stream with messages is not deleted without a yes: STREAMS_ALLOW_LOSS
)

orders = Stream("ORDERS", subjects=["orders.*"], max_age="7d", max_bytes="1GiB", server=server)
Consumer("billing", stream=orders, filter_subject="orders.paid", ack_wait="1m", max_deliver=5)
Consumer("shipping", stream=orders, filter_subject="orders.paid", backoff=["1s", "10s", "1m"])
after_orders = pulumi.ResourceOptions(depends_on=[orders])
Stream("ARCHIVE", mirror={"name": "ORDERS"}, compression="s2", server=server, opts=after_orders)

KeyValue("sessions", history=5, ttl="1h", server=server)
ObjectStore("invoices", max_bytes="1GiB", server=server)

# The same as data: a catalogue's file, or what stands in one.
Catalogue("audit", catalogue="audit.yaml", server=server)

pulumi.export("orders", {"name": orders.name, "created": orders.created})
