// What every program here does: connect to the server, log in, and say in JSON what it has found.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"

	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
)

// connected is a client of the server at that address, for which the authorities of that file vouch.
func connected(address, authorities string) (*soap.Client, error) {
	target, err := url.Parse(address + "/sdk")
	if err != nil {
		return nil, err
	}
	transport := soap.NewClient(target, false)
	return transport, transport.SetRootCAs(authorities)
}

// loggedIn is a client of the user's, whose password is in PASSWORD.
func loggedIn(ctx context.Context, transport *soap.Client, user string) (*rest.Client, error) {
	client := rest.NewClient(&vim25.Client{Client: transport})
	if err := client.Login(ctx, url.UserPassword(user, os.Getenv("PASSWORD"))); err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	return client, nil
}

// say prints what was found, or why nothing was.
func say(found interface{}, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		os.Exit(1)
	}
}
