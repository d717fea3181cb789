/**
 * Requests that need no market. What the simulation does not have (news, scanners, options, fundamentals, depth) is
 * refused with an error in the manner of the real gateway, never with silence.
 */
import type { SessionRequest } from '../wire/requests.js';
import type { ServerMessage } from '../wire/responses.js';
import { SCANNER_PARAMETERS } from './scanner.js';

/** Codes of the TWS API (see docs/gateway.md). */
export const CODE = {
  /** "Error validating request" */
  VALIDATION: 321,
  NOT_CONNECTED: 504,
  ALREADY_CONNECTED: 501,
  CLIENT_ID_IN_USE: 326,
  RATE_EXCEEDED: 100,
  NO_SECURITY: 200,
  NOT_SUBSCRIBED: 354,
  NO_FUNDAMENTALS: 430,
  NO_DEPTH: 10092,
  NO_SUCH_DEPTH: 310,
  NO_NEWS: 10276,
  NO_WSH: 10276,
  NO_SUCH_SCANNER: 162,
  PACING: 162,
} as const;

export interface SessionFacts {
  readonly accounts: readonly string[];
  readonly nextValidId: number;
  /** Market time, epoch milliseconds. */
  readonly nowMs: number;
  scan(request: Extract<SessionRequest, { readonly type: 'reqScannerSubscription' }>): ServerMessage;
}

const DISPLAY_GROUPS = '1|2|3|4|5|6|7|8|9|10|11|12|13';

/** The answer to a request other than startApi. */
export function answerSessionRequest(request: SessionRequest, facts: SessionFacts): readonly ServerMessage[] {
  switch (request.type) {
    case 'startApi':
      return [error(-1, CODE.ALREADY_CONNECTED, 'Already Connected.')];
    case 'reqIds':
      return [{ type: 'nextValidId', orderId: facts.nextValidId }];
    case 'reqManagedAccts':
      return [{ type: 'managedAccounts', accounts: facts.accounts }];
    case 'reqCurrentTime':
      return [{ type: 'currentTime', timeSec: Math.floor(facts.nowMs / 1000) }];

    case 'reqMktDepth':
      return [
        error(
          request.reqId,
          CODE.NO_DEPTH,
          'Deep market data is not supported for this combination of security type/exchange',
        ),
      ];
    case 'cancelMktDepth':
      return [error(request.reqId, CODE.NO_SUCH_DEPTH, "Can't find the subscribed market depth with tickerId")];
    case 'reqMktDepthExchanges':
      return [{ type: 'mktDepthExchanges', exchanges: [] }];
    case 'reqSmartComponents':
      return [{ type: 'smartComponents', reqId: request.reqId, components: [] }];

    case 'reqNewsProviders':
      return [{ type: 'newsProviders', providers: NEWS_PROVIDERS }];
    case 'reqNewsArticle':
      return [error(request.reqId, CODE.NO_NEWS, 'News feed is not allowed. The simulation has no news.')];
    case 'reqHistoricalNews':
      return historicalNews(request);

    case 'reqFundamentalData':
      return [
        error(
          request.reqId,
          CODE.NO_FUNDAMENTALS,
          'We are sorry, but fundamentals data for the security specified is not available.',
        ),
      ];
    case 'calculateImpliedVolatility':
    case 'calculateOptionPrice':
    case 'exerciseOptions':
      return [
        error(
          request.reqId,
          CODE.NO_SECURITY,
          'No security definition has been found for the request. The simulation has no options.',
        ),
      ];

    case 'reqScannerParameters':
      return [
        {
          type: 'scannerParameters',
          xml: SCANNER_PARAMETERS,
        },
      ];
    case 'reqScannerSubscription':
      return [facts.scan(request)];
    case 'cancelScannerSubscription':
      return [
        error(
          request.reqId,
          CODE.NO_SUCH_SCANNER,
          'Historical Market Data Service error message:API scanner subscription cancelled: none with this id.',
        ),
      ];

    case 'requestFA':
    case 'replaceFA':
      return [
        error(
          request.type === 'replaceFA' ? request.reqId : -1,
          CODE.VALIDATION,
          "Error validating request.-'bN' : cause - FA data operations ignored for non FA customers.",
        ),
      ];

    case 'queryDisplayGroups':
      return [{ type: 'displayGroupList', reqId: request.reqId, groups: DISPLAY_GROUPS }];
    case 'subscribeToGroupEvents':
    case 'updateDisplayGroup':
      return [
        {
          type: 'displayGroupUpdated',
          reqId: request.reqId,
          contractInfo: request.type === 'updateDisplayGroup' ? request.contractInfo : 'none',
        },
      ];

    case 'reqSoftDollarTiers':
      return [{ type: 'softDollarTiers', reqId: request.reqId, tiers: [] }];
    case 'reqFamilyCodes':
      return [{ type: 'familyCodes', codes: facts.accounts.map((account) => ({ account, familyCode: '' })) }];
    case 'reqWshMetaData':
    case 'reqWshEventData':
      return [error(request.reqId, CODE.NO_WSH, 'News feed is not allowed. The simulation has no WSH data.')];
    case 'reqUserInfo':
      return [{ type: 'userInfo', reqId: request.reqId, whiteBrandingId: '' }];
    case 'verify':
      return [
        error(
          -1,
          CODE.VALIDATION,
          `Error validating request.-'bT' : cause - Message ${request.messageId} is for extensions of IBKR only.`,
        ),
      ];

    // these have no answer, at the real gateway too
    case 'setServerLogLevel':
    case 'reqNewsBulletins':
    case 'cancelNewsBulletins':
    case 'cancelFundamentalData':
    case 'cancelCalculateImpliedVolatility':
    case 'cancelCalculateOptionPrice':
    case 'unsubscribeFromGroupEvents':
    case 'cancelWshMetaData':
    case 'cancelWshEventData':
      return [];
  }
}

/** The feeds that come with every account; in the simulation nothing happens that they could tell. */
const NEWS_PROVIDERS = [
  { code: 'BRFG', name: 'Briefing.com General Market Columns' },
  { code: 'BRFUPDN', name: 'Briefing.com Analyst Actions' },
  { code: 'DJNL', name: 'Dow Jones Newsletters' },
];

function historicalNews({
  reqId,
  providers,
}: Extract<SessionRequest, { readonly type: 'reqHistoricalNews' }>): readonly ServerMessage[] {
  const end: ServerMessage = { type: 'historicalNewsEnd', reqId, hasMore: false };
  const unknown = providers.split('+').find((code) => !NEWS_PROVIDERS.some((provider) => provider.code === code));
  if (unknown === undefined) return [end];
  const cause = `The account has no news of provider '${unknown}'`;
  return [error(reqId, CODE.VALIDATION, `Error validating request.-'bH' : cause - ${cause}`), end];
}

export function error(id: number, code: number, message: string): ServerMessage {
  return { type: 'error', id, code, message };
}
