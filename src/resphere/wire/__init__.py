"""How values of the contract travel: to the wire and from it, for the server's dialects and for the client."""
