package io.holdfast.control.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.holdfast.control.ControlJson;
import io.holdfast.control.operator.Answer;
import io.holdfast.control.operator.Caller;
import io.holdfast.control.operator.CommandError;
import io.holdfast.control.operator.ControlService;
import io.holdfast.control.operator.ErrorCode;
import io.holdfast.control.operator.Operation;
import io.holdfast.control.operator.OperatorRequest;
import io.holdfast.control.operator.Row;
import io.holdfast.control.operator.RowJson;
import io.holdfast.control.operator.Shape;
import io.holdfast.net.Addresses;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.core.net.SocketAddress;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens on a unix socket, where the kernel says who calls, and on TLS, where a token or a certificate does. Liveness is
 * all that strangers are told.
 */
public final class ApiServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ApiServer.class);
    private static final int EVENT_LOOPS = 1;
    /** Commands wait for a disk; queries for nobody. */
    private static final int WORKERS = 8;

    private static final int START_LIMIT_SECONDS = 20;
    private static final int STOP_LIMIT_SECONDS = 5;
    private static final double SECONDS_PER_MINUTE = 60;
    private static final Pattern ETAG = Pattern.compile("\\s*(?:W/)?\"?([0-9]{1,18})\"?\\s*");
    private static final Pattern BEARER = Pattern.compile("[Bb]earer +([!-~]{1,200})");
    private static final Pattern IN_PATH = Pattern.compile("\\{(\\w+)}");
    private static final String CALLER = "caller";
    private static final String JSON = "application/json";
    private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

    private final ControlService service;
    private final Supplier<String> metrics;
    private final ApiLimits limits;
    private final Vertx vertx;
    private final RateLimit requests;
    private final RateLimit failures;
    private final AtomicInteger connections = new AtomicInteger();
    private final EventStreams streams;
    private final Path socket;
    private @Nullable InetSocketAddress remote;

    private ApiServer(ControlService service, Supplier<String> metrics, Path socket, ApiLimits limits) {
        this.service = service;
        this.metrics = metrics;
        this.limits = limits;
        this.socket = socket;
        this.requests = new RateLimit(limits.requestsPerSecond(), limits.burst());
        this.failures = new RateLimit(limits.failuresPerMinute() / SECONDS_PER_MINUTE, limits.failuresPerMinute());
        // Vert.x would copy what it serves from the jar to a directory of its own; it serves no files here.
        this.vertx = Vertx.vertx(new VertxOptions()
                .setEventLoopPoolSize(EVENT_LOOPS)
                .setWorkerPoolSize(WORKERS)
                .setInternalBlockingPoolSize(1)
                .setUseDaemonThread(true)
                .setFileSystemOptions(
                        new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
        this.streams = new EventStreams(service, vertx, limits);
    }

    /**
     * Listens.
     *
     * @param metrics the page for Prometheus, made anew for each call
     * @throws IOException saying for people which address or file it is about
     */
    public static ApiServer start(
            ControlService service, Supplier<String> metrics, ApiAddresses addresses, ApiLimits limits)
            throws IOException {
        ApiServer server = new ApiServer(service, metrics, addresses.socket(), limits);
        try {
            server.listen(addresses);
            return server;
        } catch (IOException e) {
            server.close();
            throw e;
        }
    }

    private void listen(ApiAddresses addresses) throws IOException {
        // What a server that was killed has left behind; the state directory's lock says that there is no other.
        Files.deleteIfExists(socket);
        await("socket " + socket, server(options(), true).listen(SocketAddress.domainSocketAddress(socket.toString())));
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
        if (addresses.remote().isPresent()) {
            ApiAddresses.Remote tls = addresses.remote().get();
            HttpServer bound = await(
                    "api " + Addresses.print(tls.address()),
                    server(withTls(options(), tls), false)
                            .listen(tls.address().getPort(), tls.address().getHostString()));
            remote = new InetSocketAddress(tls.address().getAddress(), bound.actualPort());
        }
    }

    /** Where TLS is listened on; null if it is not. */
    public @Nullable InetSocketAddress remote() {
        return remote;
    }

    private HttpServerOptions options() {
        return new HttpServerOptions()
                .setIdleTimeout(limits.idleSeconds())
                .setMaxInitialLineLength(8192)
                .setMaxHeaderSize(16 * 1024)
                .setHttp2ClearTextEnabled(false)
                .setUseAlpn(false)
                .setHandle100ContinueAutomatically(true);
    }

    private static HttpServerOptions withTls(HttpServerOptions options, ApiAddresses.Remote tls) throws IOException {
        for (Path file : List.of(tls.certificate(), tls.key())) {
            if (!Files.isReadable(file)) {
                throw new IOException("api: " + file + " cannot be read");
            }
        }
        options.setSsl(true)
                .setKeyCertOptions(new PemKeyCertOptions()
                        .setCertPath(tls.certificate().toString())
                        .setKeyPath(tls.key().toString()));
        options.setEnabledSecureTransportProtocols(java.util.Set.of("TLSv1.2", "TLSv1.3"));
        tls.clientAuthority()
                .ifPresent(authority -> options.setClientAuth(ClientAuth.REQUEST)
                        .setTrustOptions(new PemTrustOptions().addCertPath(authority.toString())));
        return options;
    }

    private static <T> T await(String what, io.vertx.core.Future<T> future) throws IOException {
        try {
            return future.toCompletionStage().toCompletableFuture().get(START_LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IOException(what + ": " + messageOf(e), e);
        } catch (TimeoutException e) {
            throw new IOException(what + ": not listening within " + START_LIMIT_SECONDS + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(what + ": interrupted", e);
        }
    }

    private static String messageOf(ExecutionException e) {
        Throwable cause = e.getCause();
        return String.valueOf(cause == null ? e.getMessage() : cause.getMessage());
    }

    // ------------------------------------------------------------------ routes

    private HttpServer server(HttpServerOptions options, boolean local) {
        Router router = Router.router(vertx);
        router.get("/livez").handler(context -> text(context, 200, "text/plain", "ok\n"));
        router.route().handler(context -> authenticate(context, local));
        router.get("/readyz").handler(this::readiness);
        router.get("/metrics")
                .handler(context -> blocking(context, () -> text(context, 200, PROMETHEUS, metrics.get())));
        router.get("/v1/openapi.json").handler(context -> text(context, 200, JSON, OpenApi.text()));
        router.get("/v1/events").handler(context -> streams.open(context));
        router.route().handler(BodyHandler.create(false).setBodyLimit(limits.maxBodyBytes()));
        for (Operation operation : Operation.values()) {
            Route route = router.route(
                    HttpMethod.valueOf(operation.verb().name()),
                    IN_PATH.matcher(operation.path()).replaceAll(":$1"));
            route.handler(context -> operate(context, operation));
        }
        router.route().last().handler(context -> nothingHere(context));
        router.errorHandler(400, context -> fail(context, ErrorCode.BAD_VALUE, "the request is malformed"));
        router.errorHandler(404, this::nothingHere);
        router.errorHandler(
                405,
                context ->
                        fail(context, ErrorCode.NOT_ALLOWED, context.request().method() + " is not answered here"));
        router.errorHandler(
                413,
                context ->
                        fail(context, ErrorCode.TOO_LARGE, "a request may have " + limits.maxBodyBytes() + " bytes"));
        router.errorHandler(500, this::failed);
        return vertx.createHttpServer(options)
                .connectionHandler(connection -> {
                    if (connections.incrementAndGet() > limits.maxConnections()) {
                        LOG.warn("more than {} connections to the API: one is closed", limits.maxConnections());
                        connection.close();
                    }
                    connection.closeHandler(closed -> connections.decrementAndGet());
                })
                .requestHandler(router);
    }

    private void nothingHere(RoutingContext context) {
        boolean there = false;
        for (Operation operation : Operation.values()) {
            there |= Pattern.matches(IN_PATH.matcher(operation.path()).replaceAll("[^/]+"), context.normalizedPath());
        }
        if (there) {
            fail(context, ErrorCode.NOT_ALLOWED, context.request().method() + " is not answered here");
        } else {
            fail(context, ErrorCode.NOT_FOUND, "there is nothing at " + context.normalizedPath());
        }
    }

    private void failed(RoutingContext context) {
        LOG.error("API {} {} failed", context.request().method(), context.normalizedPath(), context.failure());
        fail(context, ErrorCode.INTERNAL, "this failed, and nobody thought of it");
    }

    // ------------------------------------------------------------------ who is it

    private void authenticate(RoutingContext context, boolean local) {
        String from = local
                ? "local"
                : String.valueOf(context.request().remoteAddress().hostAddress());
        long now = System.nanoTime();
        if (!failures.has(from, now)) {
            fail(context, ErrorCode.TOO_MANY, "too many failed attempts from " + from);
            return;
        }
        Caller caller = local ? PeerCredentials.callerOf(context) : remoteCaller(context, from);
        if (caller == null) {
            failures.take(from, now);
            LOG.warn("API call from {} refused: it does not prove who it is", from);
            context.response().putHeader("WWW-Authenticate", "Bearer");
            fail(
                    context,
                    ErrorCode.UNAUTHENTICATED,
                    context.request().getHeader("Authorization") == null
                            ? "who calls? this needs a token or a certificate"
                            : "the token is not known here: it is mistyped, has ended, or was removed");
        } else if (!requests.take(caller.name(), now)) {
            context.response().putHeader("Retry-After", "1");
            fail(context, ErrorCode.TOO_MANY, "more than " + limits.requestsPerSecond() + " requests a second");
        } else {
            context.put(CALLER, caller);
            context.next();
        }
    }

    private @Nullable Caller remoteCaller(RoutingContext context, String from) {
        String header = context.request().getHeader("Authorization");
        if (header != null) {
            Matcher bearer = BEARER.matcher(header);
            return bearer.matches() ? service.callerOf(bearer.group(1), from) : null;
        }
        return ClientCertificates.callerOf(context.request().connection().sslSession(), from);
    }

    // ------------------------------------------------------------------ what is wanted

    private void operate(RoutingContext context, Operation operation) {
        Caller caller = context.get(CALLER);
        OperatorRequest request;
        OptionalLong basis;
        try {
            basis = basis(context);
            request = Shape.of(operation).bind(values(context, operation));
        } catch (Shape.BadRequestException e) {
            fail(context, ErrorCode.BAD_VALUE, "" + e.getMessage());
            return;
        }
        blocking(context, () -> answer(context, service.ask(request, caller, basis)));
    }

    private static OptionalLong basis(RoutingContext context) {
        String header = context.request().getHeader("If-Match");
        if (header == null || header.trim().equals("*")) {
            return OptionalLong.empty();
        }
        Matcher etag = ETAG.matcher(header);
        if (!etag.matches()) {
            throw new Shape.BadRequestException("If-Match must be the version that an ETag said, in quotes");
        }
        return OptionalLong.of(Long.parseLong(etag.group(1)));
    }

    /** From the path; from the body if there is one to be; from the query else. */
    private static Map<String, Object> values(RoutingContext context, Operation operation) {
        Map<String, Object> values = new LinkedHashMap<>();
        boolean body = operation.verb() == Operation.Verb.POST || operation.verb() == Operation.Verb.PUT;
        if (body) {
            Buffer bytes = context.body().buffer();
            values.putAll(RequestJson.parse(bytes == null ? new byte[0] : bytes.getBytes()));
        } else {
            for (String name : context.queryParams().names()) {
                List<String> all = context.queryParams().getAll(name);
                values.put(name, all.size() == 1 ? all.get(0) : all);
            }
        }
        Matcher names = IN_PATH.matcher(operation.path());
        while (names.find()) {
            String name = names.group(1);
            if (values.put(name, context.pathParam(name)) != null) {
                throw new Shape.BadRequestException(
                        "'" + name + "' stands in the path, and must not stand elsewhere too");
            }
        }
        return values;
    }

    private void blocking(RoutingContext context, Runnable work) {
        vertx.executeBlocking(
                        () -> {
                            work.run();
                            return true;
                        },
                        false)
                .onFailure(context::fail);
    }

    private static void answer(RoutingContext context, Answer answer) {
        if (answer instanceof Answer.Failed failed) {
            fail(context, failed.error());
        } else if (answer instanceof Answer.Done done) {
            context.response().putHeader("ETag", "\"" + done.version() + "\"");
            json(context, 200, out -> {
                out.writeNumberField("version", done.version());
                out.writeFieldName("object");
                RowJson.write(done.object(), out);
            });
        } else if (answer instanceof Answer.Rows rows) {
            context.response().putHeader("ETag", "\"" + rows.version() + "\"");
            json(context, 200, out -> {
                out.writeNumberField("version", rows.version());
                out.writeArrayFieldStart("rows");
                for (Row row : rows.rows()) {
                    RowJson.write(row, out);
                }
                out.writeEndArray();
            });
        }
    }

    private void readiness(RoutingContext context) {
        List<String> obstacles = service.obstacles();
        json(context, obstacles.isEmpty() ? 200 : 503, out -> {
            out.writeBooleanField("ready", obstacles.isEmpty());
            out.writeArrayFieldStart("obstacles");
            for (String obstacle : obstacles) {
                out.writeString(obstacle);
            }
            out.writeEndArray();
        });
    }

    // ------------------------------------------------------------------ answers

    /** The fields of an object. */
    private interface Fields {
        void write(JsonGenerator out) throws IOException;
    }

    static void fail(RoutingContext context, ErrorCode code, String message) {
        fail(context, CommandError.of(code, message));
    }

    private static void fail(RoutingContext context, CommandError error) {
        json(context, error.error().httpStatus(), out -> {
            out.writeStringField("error", error.error().label());
            out.writeStringField("message", error.message());
            out.writeStringField("advice", error.advice());
        });
    }

    private static void json(RoutingContext context, int status, Fields fields) {
        byte[] bytes = ControlJson.bytes(out -> {
            out.writeStartObject();
            fields.write(out);
            out.writeEndObject();
        });
        respond(context, status, JSON, Buffer.buffer(bytes));
    }

    private static void text(RoutingContext context, int status, String type, String text) {
        respond(context, status, type, Buffer.buffer(text.getBytes(StandardCharsets.UTF_8)));
    }

    @SuppressWarnings("FutureReturnValueIgnored") // Who has gone does not read the answer.
    private static void respond(RoutingContext context, int status, String type, Buffer body) {
        if (context.response().ended() || context.response().closed()) {
            return;
        }
        context.response()
                .setStatusCode(status)
                .putHeader("Content-Type", type)
                .putHeader("Cache-Control", "no-store")
                .putHeader("X-Content-Type-Options", "nosniff")
                .end(body);
    }

    /** Whom {@link #authenticate} has found. */
    static Caller callerOf(RoutingContext context) {
        return context.get(CALLER);
    }

    @Override
    public void close() {
        try {
            vertx.close().toCompletionStage().toCompletableFuture().get(STOP_LIMIT_SECONDS, TimeUnit.SECONDS);
            Files.deleteIfExists(socket);
        } catch (ExecutionException | TimeoutException | IOException e) {
            LOG.warn("the API did not stop as it should: {}", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
