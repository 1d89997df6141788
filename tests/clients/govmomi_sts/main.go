// Asks the STS for tokens with govmomi: of a bearer, of the holder of a key, renewed, for another user; logs in by them
// with its REST client, and is refused.
// Arguments: address, CA file, user, certificate and key (PEM), another certificate and key. The password is in PASSWORD.
// Prints a JSON object.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/vmware/govmomi/sts"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vim25"
)

type token struct {
	Text    string `json:"token"`
	User    string `json:"user"`
	Seconds int    `json:"seconds"`
}

type result struct {
	Bearer   *token            `json:"bearer"`
	Holder   *token            `json:"holder"`
	Renewed  *token            `json:"renewed"`
	Solution *token            `json:"solution"`
	Delegate *token            `json:"delegate"`
	Extended *token            `json:"extended"`
	Acting   *token            `json:"acting"`
	Refused  map[string]string `json:"refused"`
}

type asker struct {
	ctx    context.Context
	client *vim25.Client
	sts    *sts.Client
}

// Logs in by the token; the user of the session.
func (a *asker) login(signer *sts.Signer) (string, error) {
	client := rest.NewClient(a.client)
	if err := client.LoginByToken(client.WithSigner(a.ctx, signer)); err != nil {
		return "", err
	}
	session, err := client.Session(a.ctx)
	if err != nil || session == nil {
		return "", fmt.Errorf("session %v: %w", session, err)
	}
	return session.User, client.Logout(a.ctx)
}

func (a *asker) described(signer *sts.Signer, err error) (*token, error) {
	if err != nil {
		return nil, err
	}
	user, err := a.login(signer)
	if err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	lifetime := signer.Lifetime.Expires.Sub(signer.Lifetime.Created)
	return &token{signer.Token, user, int(lifetime / time.Second)}, nil
}

func run(address, authorities, user, password string, own, other tls.Certificate) (*result, error) {
	ctx := context.Background()
	transport, err := connected(address, authorities)
	if err != nil {
		return nil, err
	}
	client := &vim25.Client{Client: transport}
	service, err := sts.NewClient(ctx, client)
	if err != nil {
		return nil, err
	}
	a := &asker{ctx, client, service}
	login := url.UserPassword(user, password)
	found := &result{Refused: map[string]string{}}
	refused := func(name string, err error) {
		if err == nil {
			found.Refused[name] = ""
		} else {
			found.Refused[name] = err.Error()
		}
	}

	if found.Bearer, err = a.described(service.Issue(ctx, sts.TokenRequest{Userinfo: login})); err != nil {
		return nil, fmt.Errorf("bearer: %w", err)
	}
	asked := sts.TokenRequest{Userinfo: login, Certificate: &own, Lifetime: 24 * time.Hour, Renewable: true, Delegatable: true}
	holder, err := service.Issue(ctx, asked)
	if found.Holder, err = a.described(holder, err); err != nil {
		return nil, fmt.Errorf("holder of key: %w", err)
	}
	renewal := sts.TokenRequest{Certificate: &own, Token: holder.Token, Lifetime: 48 * time.Hour}
	if found.Renewed, err = a.described(service.Renew(ctx, renewal)); err != nil {
		return nil, fmt.Errorf("renew: %w", err)
	}
	delegatable, err := service.Issue(ctx, sts.TokenRequest{Userinfo: login, Delegatable: true, Renewable: true})
	if err != nil {
		return nil, fmt.Errorf("delegatable: %w", err)
	}
	acting := sts.TokenRequest{
		Userinfo: login, Certificate: &own, Token: delegatable.Token, ActAs: true, Delegatable: true, Renewable: true,
		Lifetime: 24 * time.Hour,
	}
	signer, err := service.Issue(ctx, acting)
	if found.Acting, err = a.described(signer, err); err != nil {
		return nil, fmt.Errorf("act as: %w", err)
	}

	if found.Solution, err = a.described(service.Issue(ctx, sts.TokenRequest{Certificate: &own})); err != nil {
		return nil, fmt.Errorf("solution user: %w", err)
	}
	// As `govc session.login -issue -token` does: what is granted for another user's token is short, and then renewed.
	acting.Userinfo = nil
	signer, err = service.Issue(ctx, acting)
	if found.Delegate, err = a.described(signer, err); err != nil {
		return nil, fmt.Errorf("delegate: %w", err)
	}
	renewal.Token = signer.Token
	if found.Extended, err = a.described(service.Renew(ctx, renewal)); err != nil {
		return nil, fmt.Errorf("extend: %w", err)
	}

	_, err = service.Issue(ctx, sts.TokenRequest{Certificate: &other})
	refused("certificate", err)
	_, err = service.Issue(ctx, sts.TokenRequest{Userinfo: url.UserPassword(user, "wrong")})
	refused("password", err)
	_, err = a.login(&sts.Signer{Token: holder.Token})
	refused("no key", err)
	_, err = a.login(&sts.Signer{Token: holder.Token, Certificate: &other})
	refused("another key", err)
	_, err = a.login(&sts.Signer{Token: strings.Replace(found.Bearer.Text, "dministrator", "dministratos", 1)})
	refused("altered", err)
	_, err = service.Renew(ctx, sts.TokenRequest{Certificate: &other, Token: holder.Token})
	refused("renewal by another key", err)
	_, err = service.Renew(ctx, sts.TokenRequest{Certificate: &own, Token: found.Bearer.Text})
	refused("renewal of a bearer's", err)
	return found, nil
}

func main() {
	own, err := tls.LoadX509KeyPair(os.Args[4], os.Args[5])
	if err == nil {
		var other tls.Certificate
		if other, err = tls.LoadX509KeyPair(os.Args[6], os.Args[7]); err == nil {
			var found *result
			if found, err = run(os.Args[1], os.Args[2], os.Args[3], os.Getenv("PASSWORD"), own, other); err == nil {
				json.NewEncoder(os.Stdout).Encode(found)
				return
			}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
