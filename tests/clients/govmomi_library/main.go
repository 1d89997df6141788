// Makes a content library with govmomi's client, imports a file as govc library.import does, with -pull too, exports it
// as govc library.export does, looks at everything, is refused, and deletes it all.
// Arguments: address, CA file, user, datastore, file. The password is in PASSWORD. Prints a JSON object.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/library/finder"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vim25/soap"
)

type result struct {
	Library   *library.Library `json:"library"`
	Item      *library.Item    `json:"item"`
	Files     []library.File   `json:"files"`
	Found     []string         `json:"found"`
	FoundItem []string         `json:"found_items"`
	Copy      *library.Item    `json:"copy"`
	Taken     string           `json:"taken"`
	Busy      string           `json:"busy"`
	Missing   string           `json:"missing"`
	Downloads []string         `json:"downloads"`
	Gone      string           `json:"gone"`

	Subscribed  *library.Library            `json:"subscribed"`
	OnDemand    *library.Item               `json:"on_demand"`
	Synced      *library.Item               `json:"synced"`
	Evicted     *library.Item               `json:"evicted"`
	Subscribers []library.SubscriberSummary `json:"subscribers"`
	Subscriber  *library.Subscriber         `json:"subscriber"`
	Published   []library.Item              `json:"published"`
	Kept        string                      `json:"kept"`

	Libraries []string            `json:"libraries"`
	Items     []string            `json:"items"`
	File      *library.File       `json:"file"`
	Paths     []string            `json:"paths"`
	Session   *library.Session    `json:"session"`
	Sessions  []string            `json:"sessions"`
	Awaited   *library.UpdateFile `json:"awaited"`
	States    []string            `json:"states"`
	Pulled    *library.Item       `json:"pulled"`
}

// Waits until the library has so many items, and the first of them has its content, if that is asked for.
func wait(ctx context.Context, manager *library.Manager, id string, number int, cached bool) ([]library.Item, error) {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		items, err := manager.GetLibraryItems(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(items) == number && (!cached || items[0].Cached) {
			return items, nil
		}
	}
	return nil, fmt.Errorf("the library %s was not synced", id)
}

// Publishes a library and has another one subscribe, as govc library.create -pub and -sub do, and its commands sync,
// evict, publish and subscriber.*.
func subscribe(ctx context.Context, client *rest.Client, manager *library.Manager, found *result, datastore, file string) error {
	storage := []library.StorageBackings{{DatastoreID: datastore, Type: "DATASTORE"}}
	yes, no := true, false
	id, err := manager.CreateLibrary(ctx, library.Library{
		Name: "published", Type: "LOCAL", Storage: storage,
		Publication: &library.Publication{Published: &yes, AuthenticationMethod: "NONE"},
	})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	source, err := manager.GetLibraryByID(ctx, id)
	if err != nil {
		return err
	}
	item, err := manager.CreateLibraryItem(ctx, library.Item{Name: "disc", Type: "iso", LibraryID: id})
	if err != nil {
		return err
	}
	if err := send(ctx, client, manager, item, file); err != nil {
		return err
	}
	spec := library.Library{Name: "subscribed", Type: "SUBSCRIBED", Storage: storage, Subscription: &library.Subscription{
		AuthenticationMethod: "NONE", AutomaticSyncEnabled: &no, OnDemand: &yes,
		SubscriptionURL: source.Publication.PublishURL,
	}}
	copies, err := manager.CreateLibrary(ctx, spec)
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if found.Subscribed, err = manager.GetLibraryByID(ctx, copies); err != nil {
		return err
	}
	items, err := wait(ctx, manager, copies, 1, false)
	if err != nil {
		return err
	}
	found.OnDemand = &items[0]
	if err := manager.SyncLibraryItem(ctx, found.OnDemand, true); err != nil {
		return fmt.Errorf("sync item: %w", err)
	}
	if items, err = wait(ctx, manager, copies, 1, true); err != nil {
		return err
	}
	found.Synced = &items[0]
	evict := client.Resource("/com/vmware/content/library/subscribed-item/id:" + found.Synced.ID).WithAction("evict")
	if err := client.Do(ctx, evict.Request(http.MethodPost), nil); err != nil {
		return fmt.Errorf("evict: %w", err)
	}
	if found.Evicted, err = manager.GetLibraryItem(ctx, found.Synced.ID); err != nil {
		return err
	}
	if err := manager.DeleteLibraryItem(ctx, found.Evicted); err != nil {
		found.Kept = err.Error()
	}
	use := library.SubscriberLibrary{Target: "USE_EXISTING", LibraryID: copies, Location: "LOCAL"}
	subscription, err := manager.CreateSubscriber(ctx, source, use)
	if err != nil {
		return fmt.Errorf("create subscriber: %w", err)
	}
	if found.Subscribers, err = manager.ListSubscribers(ctx, source); err != nil {
		return fmt.Errorf("list subscribers: %w", err)
	}
	if found.Subscriber, err = manager.GetSubscriber(ctx, source, subscription); err != nil {
		return fmt.Errorf("get subscriber: %w", err)
	}
	if _, err := manager.CreateLibraryItem(ctx, library.Item{Name: "more", Type: "iso", LibraryID: id}); err != nil {
		return err
	}
	if err := manager.PublishLibrary(ctx, source, []string{subscription}); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if found.Published, err = wait(ctx, manager, copies, 2, false); err != nil {
		return err
	}
	if err := manager.PublishLibraryItem(ctx, &library.Item{ID: item}, true, []string{subscription}); err != nil {
		return fmt.Errorf("publish item: %w", err)
	}
	if err := manager.SyncLibrary(ctx, found.Subscribed); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := manager.DeleteSubscriber(ctx, source, subscription); err != nil {
		return fmt.Errorf("delete subscriber: %w", err)
	}
	if err := manager.DeleteLibrary(ctx, found.Subscribed); err != nil {
		return fmt.Errorf("delete subscribed library: %w", err)
	}
	return manager.DeleteLibrary(ctx, source)
}

func send(ctx context.Context, client *rest.Client, manager *library.Manager, item, file string) error {
	session, err := manager.CreateLibraryItemUpdateSession(ctx, library.Session{LibraryItemID: item})
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	if err := manager.KeepAliveLibraryItemUpdateSession(ctx, session); err != nil {
		return fmt.Errorf("keep alive: %w", err)
	}
	content, err := os.Open(file)
	if err != nil {
		return err
	}
	defer content.Close()
	info, err := content.Stat()
	if err != nil {
		return err
	}
	update := library.UpdateFile{Name: "disc.iso", SourceType: "PUSH", Size: info.Size()}
	added, err := manager.AddLibraryItemFile(ctx, session, update)
	if err != nil {
		return fmt.Errorf("add file: %w", err)
	}
	address, err := url.Parse(added.UploadEndpoint.URI)
	if err != nil {
		return err
	}
	upload := soap.DefaultUpload
	upload.ContentLength = info.Size()
	upload.Headers = map[string]string{"vmware-api-session-id": client.SessionID()}
	if err := client.Client.Upload(ctx, content, address, &upload); err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	if err := manager.CompleteLibraryItemUpdateSession(ctx, session); err != nil {
		return fmt.Errorf("complete: %w", err)
	}
	return manager.WaitOnLibraryItemUpdateSession(ctx, session, time.Millisecond, nil)
}

// Looks at libraries as govc library.ls and session.ls do, and ends sessions in all other ways.
func look(ctx context.Context, manager *library.Manager, found *result, id, item string) error {
	var err error
	if found.Libraries, err = manager.ListLibraries(ctx); err != nil {
		return fmt.Errorf("list libraries: %w", err)
	}
	if _, err = manager.GetLibraries(ctx); err != nil {
		return fmt.Errorf("get libraries: %w", err)
	}
	if found.Items, err = manager.ListLibraryItems(ctx, id); err != nil {
		return fmt.Errorf("list items: %w", err)
	}
	if found.File, err = manager.GetLibraryItemFile(ctx, item, "disc.iso"); err != nil {
		return fmt.Errorf("get file: %w", err)
	}
	results, err := finder.NewFinder(manager).Find(ctx, "/govmomi/d*/*.iso")
	if err != nil {
		return fmt.Errorf("find: %w", err)
	}
	for _, each := range results {
		found.Paths = append(found.Paths, each.GetPath())
	}
	about := library.Session{LibraryItemID: item}
	for _, end := range []func(context.Context, string) error{
		manager.CancelLibraryItemUpdateSession, manager.FailLibraryItemUpdateSession,
	} {
		session, err := manager.CreateLibraryItemUpdateSession(ctx, about)
		if err != nil {
			return fmt.Errorf("create session: %w", err)
		}
		if found.Sessions, err = manager.ListLibraryItemUpdateSession(ctx); err != nil {
			return fmt.Errorf("list sessions: %w", err)
		}
		update := library.UpdateFile{Name: "more.iso", SourceType: "PUSH", Size: 1}
		if _, err := manager.AddLibraryItemFile(ctx, session, update); err != nil {
			return fmt.Errorf("add file: %w", err)
		}
		if found.Awaited, err = manager.GetLibraryItemUpdateSessionFile(ctx, session, "more.iso"); err != nil {
			return fmt.Errorf("get file of session: %w", err)
		}
		if err := end(ctx, session); err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		if found.Session, err = manager.GetLibraryItemUpdateSession(ctx, session); err != nil {
			return fmt.Errorf("get session: %w", err)
		}
		found.States = append(found.States, found.Session.State)
		if err := manager.DeleteLibraryItemUpdateSession(ctx, session); err != nil {
			return fmt.Errorf("delete session: %w", err)
		}
	}
	for _, end := range []func(context.Context, string) error{
		manager.CancelLibraryItemDownloadSession, manager.FailLibraryItemDownloadSession,
	} {
		session, err := manager.CreateLibraryItemDownloadSession(ctx, about)
		if err != nil {
			return fmt.Errorf("create download session: %w", err)
		}
		if err := manager.KeepAliveLibraryItemDownloadSession(ctx, session); err != nil {
			return fmt.Errorf("keep download session alive: %w", err)
		}
		if _, err := manager.ListLibraryItemDownloadSessionFile(ctx, session); err != nil {
			return fmt.Errorf("files of download session: %w", err)
		}
		if err := end(ctx, session); err != nil {
			return fmt.Errorf("end download session: %w", err)
		}
		ended, err := manager.GetLibraryItemDownloadSession(ctx, session)
		if err != nil {
			return fmt.Errorf("get download session: %w", err)
		}
		found.States = append(found.States, ended.State)
		if err := manager.DeleteLibraryItemDownloadSession(ctx, session); err != nil {
			return fmt.Errorf("delete download session: %w", err)
		}
	}
	return nil
}

// Has the server fetch a file, as govc library.import -pull does: from where another item gives it out.
func pull(ctx context.Context, manager *library.Manager, found *result, id, item string) error {
	reading, err := manager.CreateLibraryItemDownloadSession(ctx, library.Session{LibraryItemID: item})
	if err != nil {
		return err
	}
	if _, err := manager.PrepareLibraryItemDownloadSessionFile(ctx, reading, "disc.iso"); err != nil {
		return err
	}
	source, err := manager.GetLibraryItemDownloadSessionFile(ctx, reading, "disc.iso")
	if err != nil {
		return err
	}
	pulled, err := manager.CreateLibraryItem(ctx, library.Item{Name: "pulled", Type: "iso", LibraryID: id})
	if err != nil {
		return err
	}
	session, err := manager.CreateLibraryItemUpdateSession(ctx, library.Session{LibraryItemID: pulled})
	if err != nil {
		return err
	}
	if _, err := manager.AddLibraryItemFileFromURI(ctx, session, "disc.iso", source.DownloadEndpoint.URI); err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	if err := manager.WaitOnLibraryItemUpdateSession(ctx, session, 50*time.Millisecond, nil); err != nil {
		return fmt.Errorf("wait for the pull: %w", err)
	}
	if err := manager.DeleteLibraryItemDownloadSession(ctx, reading); err != nil {
		return err
	}
	found.Pulled, err = manager.GetLibraryItem(ctx, pulled)
	return err
}

func fetch(ctx context.Context, client *rest.Client, manager *library.Manager, item, file string) error {
	session, err := manager.CreateLibraryItemDownloadSession(ctx, library.Session{LibraryItemID: item})
	if err != nil {
		return fmt.Errorf("create download session: %w", err)
	}
	if _, err := manager.PrepareLibraryItemDownloadSessionFile(ctx, session, "disc.iso"); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	info, err := manager.GetLibraryItemDownloadSessionFile(ctx, session, "disc.iso")
	if err != nil || info.Status != "PREPARED" {
		return fmt.Errorf("get %v: %w", info, err)
	}
	address, err := url.Parse(info.DownloadEndpoint.URI)
	if err != nil {
		return err
	}
	download := soap.DefaultDownload
	download.Headers = map[string]string{"vmware-api-session-id": client.SessionID()}
	return client.Client.DownloadFile(ctx, file+".got", address, &download)
}

func run(address, authorities, user, datastore, file string) (*result, error) {
	ctx := context.Background()
	transport, err := connected(address, authorities)
	if err != nil {
		return nil, err
	}
	client, err := loggedIn(ctx, transport, user)
	if err != nil {
		return nil, err
	}
	found := &result{}
	manager := library.NewManager(client)
	spec := library.Library{
		Name: "govmomi", Type: "LOCAL", Storage: []library.StorageBackings{{DatastoreID: datastore, Type: "DATASTORE"}},
	}
	id, err := manager.CreateLibrary(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("create library: %w", err)
	}
	if found.Library, err = manager.GetLibraryByName(ctx, "govmomi"); err != nil {
		return nil, fmt.Errorf("get library: %w", err)
	}
	item, err := manager.CreateLibraryItem(ctx, library.Item{Name: "disc", Type: "iso", LibraryID: id})
	if err != nil {
		return nil, fmt.Errorf("create item: %w", err)
	}
	if _, err := manager.CreateLibraryItem(ctx, library.Item{Name: "disc", Type: "iso", LibraryID: id}); err != nil {
		found.Taken = err.Error()
	}
	if err := send(ctx, client, manager, item, file); err != nil {
		return nil, err
	}
	if found.Item, err = manager.GetLibraryItem(ctx, item); err != nil {
		return nil, fmt.Errorf("get item: %w", err)
	}
	if found.Files, err = manager.ListLibraryItemFiles(ctx, item); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	if found.Found, err = manager.FindLibrary(ctx, library.Find{Name: "GOVMOMI", Type: "LOCAL"}); err != nil {
		return nil, fmt.Errorf("find: %w", err)
	}
	if found.FoundItem, err = manager.FindLibraryItems(ctx, library.FindItem{LibraryID: id, Name: "disc"}); err != nil {
		return nil, fmt.Errorf("find items: %w", err)
	}
	if err := fetch(ctx, client, manager, item, file); err != nil {
		return nil, err
	}
	if found.Downloads, err = manager.ListLibraryItemDownloadSession(ctx); err != nil {
		return nil, fmt.Errorf("download sessions: %w", err)
	}
	if err := look(ctx, manager, found, id, item); err != nil {
		return nil, err
	}
	if err := pull(ctx, manager, found, id, item); err != nil {
		return nil, err
	}
	copied, err := manager.CopyLibraryItem(ctx, found.Item, library.Item{LibraryID: id, Name: "copy"})
	if err != nil {
		return nil, fmt.Errorf("copy: %w", err)
	}
	if found.Copy, err = manager.GetLibraryItem(ctx, copied); err != nil {
		return nil, fmt.Errorf("get copy: %w", err)
	}
	if _, err = manager.CreateLibraryItemUpdateSession(ctx, library.Session{LibraryItemID: item}); err != nil {
		return nil, fmt.Errorf("second session: %w", err)
	}
	if _, err = manager.CreateLibraryItemUpdateSession(ctx, library.Session{LibraryItemID: item}); err != nil {
		found.Busy = err.Error()
	}
	if _, err = manager.GetLibraryItem(ctx, "none"); err != nil {
		found.Missing = err.Error()
	}
	if err := manager.DeleteLibraryItem(ctx, found.Copy); err != nil {
		return nil, fmt.Errorf("delete item: %w", err)
	}
	if err := manager.DeleteLibrary(ctx, found.Library); err != nil {
		return nil, fmt.Errorf("delete library: %w", err)
	}
	if err := client.Do(ctx, client.Resource("/com/vmware/content/library/item/id:"+item).Request(http.MethodGet), nil); err != nil {
		found.Gone = err.Error()
	}
	if err := subscribe(ctx, client, manager, found, datastore, file); err != nil {
		return nil, err
	}
	return found, client.Logout(ctx)
}

func main() {
	say(run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]))
}
