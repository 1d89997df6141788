"""Commands that speak to a server: any vSphere of release 7.0 U2 or later. None of them loads a part of ours."""
