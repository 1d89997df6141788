// Has a server fetch files into content libraries with govmomi's client, as govc library.import -pull does.
// Arguments: address, CA file, user, datastore, address of a file, the same over TLS, thumbprint there, address of none.
// The password is in PASSWORD. Prints a JSON object.
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/vmware/govmomi/vapi/library"
)

type pulled struct {
	File  *library.UpdateFile `json:"file"`
	Item  *library.Item       `json:"item"`
	State string              `json:"state"`
	Error string              `json:"error"`
}

// pull does what govc does: it adds the file, which completes the session, and waits until that is no more active.
func pull(ctx context.Context, manager *library.Manager, lib, name, uri string) (*pulled, error) {
	item, err := manager.CreateLibraryItem(ctx, library.Item{Name: name, Type: "iso", LibraryID: lib})
	if err != nil {
		return nil, fmt.Errorf("create item: %w", err)
	}
	session, err := manager.CreateLibraryItemUpdateSession(ctx, library.Session{LibraryItemID: item})
	if err != nil {
		return nil, fmt.Errorf("create session: %w", err)
	}
	found := &pulled{}
	if found.File, err = manager.AddLibraryItemFileFromURI(ctx, session, name, uri); err != nil {
		found.Error = err.Error()
		return found, nil
	}
	if err = manager.WaitOnLibraryItemUpdateSession(ctx, session, 100*time.Millisecond, nil); err != nil {
		found.Error = err.Error()
	}
	ended, err := manager.GetLibraryItemUpdateSession(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("get session: %w", err)
	}
	found.State = ended.State
	if found.Item, err = manager.GetLibraryItem(ctx, item); err != nil {
		return nil, fmt.Errorf("get item: %w", err)
	}
	return found, manager.DeleteLibraryItemUpdateSession(ctx, session)
}

func run(args []string) (map[string]*pulled, error) {
	ctx := context.Background()
	secured, err := url.Parse(args[5])
	if err != nil {
		return nil, err
	}
	transport, err := connected(args[0], args[1])
	if err != nil {
		return nil, err
	}
	// As govc -tls-known-hosts does.
	transport.SetThumbprint(secured.Host, args[6])
	client, err := loggedIn(ctx, transport, args[2])
	if err != nil {
		return nil, err
	}
	manager := library.NewManager(client)
	lib, err := manager.CreateLibrary(ctx, library.Library{
		Name: "pulled", Type: "LOCAL", Storage: []library.StorageBackings{{DatastoreID: args[3], Type: "DATASTORE"}},
	})
	if err != nil {
		return nil, fmt.Errorf("create library: %w", err)
	}
	found := map[string]*pulled{}
	for name, uri := range map[string]string{"plain.iso": args[4], "secured.iso": args[5], "none.iso": args[7]} {
		if found[name], err = pull(ctx, manager, lib, name, uri); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return found, client.Logout(ctx)
}

func main() {
	say(run(os.Args[1:]))
}
